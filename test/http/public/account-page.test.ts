// How the account page is served: whole, fenced in, and only where it is wanted.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openMailbox } from '../../mail/mailbox.js'
import { newClient } from '../../store/client-contract.js'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

t.test('the page and all that it loads come from Signet, under a policy that allows nothing else', async t => {
  const { app } = await testApp(t, { PASSWORD_MIN_LENGTH: '12' })
  const page = await app.inject('/account')
  t.strictSame([page.statusCode, page.headers['content-type']], [200, 'text/html; charset=utf-8'])
  t.match(page.body, '<meta name="password-min-length" content="12">')
  t.notMatch(page.body, /\{\{|<style|<script(?! type="module" src)|\sstyle=|\son\w+=|https?:/)
  // Nothing that only some of its views use, of which a browser would say that it was loaded in vain.
  const loaded = [...page.body.matchAll(/(?:href|src)="(account\/[^"]+)"/g)].map(([, path]) => `/${path}`)
  t.strictSame(new Set(loaded), new Set([
    'mark.svg', 'account.css', 'account.js', 'activity.js', 'addresses.js', 'answers.js', 'app-offer.js', 'client.js', 'codes.js', 'devices.js', 'dialogs.js', 'doors.js', 'factors.js', 'forms.js', 'links.js', 'proof.js', 'recovery.js', 'requests.js', 'second-factors.js', 'second-step.js', 'views.js',
  ].map(name => `/account/${name}`)))
  for (const url of ['/account', ...loaded]) {
    const answer = await app.inject(url)
    t.equal(answer.statusCode, 200, url)
    const head = await app.inject({ method: 'HEAD', url })
    t.strictSame([head.statusCode, head.body, head.headers['content-length'], head.headers.etag], [200, '', answer.headers['content-length'], answer.headers.etag], url)
    const unchanged = await app.inject({ method: 'HEAD', url, headers: { 'if-none-match': String(answer.headers.etag) } })
    t.strictSame([unchanged.statusCode, unchanged.headers['content-length']], [304, undefined], 'not that it is empty')
    t.match(answer.headers, {
      'content-security-policy': POLICY, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin',
    }, url)
  }
})

t.test('a password is typed unseen on every page, and may be pasted, or filled in by the browser', async t => {
  const files = readdirSync('src/browser', { recursive: true, encoding: 'utf8' }).filter(name => /\.(html|js)$/.test(name))
  const fields = files.flatMap(name => [...readFileSync(join('src/browser', name), 'utf8').matchAll(/<input[^>]*name="[^"]*password"[^>]*>/g)].map(([field]) => field))
  t.ok(fields.length >= 6)
  for (const field of fields) t.match(field, / type="password" autocomplete="(?:current|new)-password" /)
  for (const name of files) t.notMatch(readFileSync(join('src/browser', name), 'utf8'), /onpaste|['"]paste['"]/, name)
})

t.test('the client of the page is the client of the package, served as modules, of which the first is below 8 kB and the others are apart', async t => {
  const { app } = await testApp(t)
  for (const [name, most] of [['client', 8_000], ['recovery', 1_000], ['requests', 1_000], ['second-factors', 3_000]] as const) {
    const { headers, rawPayload } = await app.inject({ url: `/account/${name}.js`, headers: { 'accept-encoding': 'gzip' } })
    t.ok(headers['content-encoding'] === 'gzip' && rawPayload.length < most, `${name}.js: ${rawPayload.length} bytes`)
    t.equal((await app.inject(`/account/${name}.js`)).body, readFileSync(`src/client/${name}.js`, 'utf8'))
  }
  const answer = await app.inject('/account/client.js')
  t.match(answer.headers['content-type'], /^(text|application)\/javascript/)
  t.equal(answer.body, readFileSync('src/client/client.js', 'utf8'))
  const { exports } = JSON.parse(readFileSync('src/client/package.json', 'utf8')) as { exports: Record<string, { default: string }> }
  t.equal(exports['.']!.default, './client.js')
  t.notMatch(answer.body, /^import /m, 'it depends on nothing')
  t.equal((await app.inject({ url: '/account/client.js', headers: { 'if-none-match': String(answer.headers.etag) } })).statusCode, 304)
})

t.test('where registration is closed there is no form for it, on this page and on the one that leads on to a client', async t => {
  for (const [registration, offers] of [['open', true], ['closed', false]] as const) {
    const { app, store } = await testApp(t, { REGISTRATION: registration })
    const client = { ...newClient(), redirectUris: ['https://app.example/callback'] }
    await store.insertClient(client)
    const pages = await Promise.all(['/account', `/authorize?client_id=${client.id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM`].map(async url => (await app.inject({ url, headers: { 'sec-fetch-site': 'same-origin' } })).body))
    for (const page of pages) {
      t.match(page, 'id="sign-in"')
      t.equal(/#sign-up|id="sign-up/.test(page), offers)
      t.notMatch(page, /\{\{/)
    }
  }
})

t.test('what is done by mail is offered where mails are sent, and passkeys where browsers know them: not at an address', async t => {
  const passkeys = /<meta name="passkeys" content="([^"]*)">/
  for (const [issuer, home] of [['https://id.example.com/base', 'id.example.com'], ['http://localhost:3000', 'localhost'], ['http://127.0.0.1:3000', ''], ['https://[2001:db8::1]', '']] as const) {
    for (const mailbox of [undefined, openMailbox()]) {
      const { app } = await testApp(t, { ISSUER: issuer }, mailbox?.parts)
      const { body } = await app.inject('/account')
      t.equal(passkeys.exec(body)?.[1], home)
      t.equal(body.includes('id="passkey-sign-in"'), home !== '')
      for (const part of ['#forgot-password', 'id="forgot-password"', 'id="verify-email"', 'id="confirm-email"', 'id="new-email-form"']) t.equal(body.includes(part), mailbox !== undefined, part)
      t.match(body, 'id="app-code"')
    }
  }
})

t.test('the page is told whether the browser brings a cookie, and nothing of it', async t => {
  const { app, post } = await testApp(t)
  await post('/register', { email: EMAIL, password: PASSWORD })
  const page = { origin: 'http://localhost', host: 'localhost', 'sec-fetch-site': 'same-origin' }
  const cookie = String((await post('/login', { email: EMAIL, password: PASSWORD, refresh_token_in: 'cookie' }, page)).headers['set-cookie']).split(';')[0]!
  for (const [brought, expected] of [[undefined, false], ['theme=dark', false], [cookie, true], [`theme=dark; ${cookie}`, true]] as const) {
    const answer = await app.inject({ url: '/account/session', headers: brought ? { cookie: brought } : {} })
    t.strictSame([answer.json(), answer.headers['cache-control'], answer.headers['set-cookie']], [{ cookie: expected }, 'no-store', undefined])
    t.match(answer.headers, { 'cross-origin-resource-policy': 'same-origin', 'content-security-policy': POLICY })
  }
})

t.test('nothing beside it is served', async t => {
  const { app } = await testApp(t)
  for (const url of ['/account/account.html', '/account/../app.ts', '/account/%2e%2e/app.ts', '/account/nothing.js']) t.equal((await app.inject(url)).statusCode, 404, url)
  t.equal((await app.inject({ method: 'POST', url: '/account' })).statusCode, 405)
})

t.test('/account/ leads to /account, also under a prefix of a proxy', async t => {
  const { app } = await testApp(t)
  const answer = await app.inject('/account/?x=1')
  t.strictSame([answer.statusCode, answer.headers.location], [308, '../account'])
  t.equal(new URL(String(answer.headers.location), 'https://example.com/id/account/').href, 'https://example.com/id/account')
})

t.test('ACCOUNT_PAGE=false leaves nothing at /account', async t => {
  const { app } = await testApp(t, { ACCOUNT_PAGE: 'false' })
  for (const url of ['/account/client.js', '/account/session']) t.equal((await app.inject(url)).statusCode, 404, url)
  t.match(await app.inject('/account'), { statusCode: 405, headers: { allow: /^DELETE/ } }, 'where an account can be deleted all the same')
})
