// What is sent by mail, from the request to the letter and back: forgotten passwords, proved and changed addresses, registrations that tell nobody, notices.
import t, { type Test } from 'tap'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'
import { LetterRefused } from '../../../src/core/letters.js'
import { linkOf, openMailbox } from '../../mail/mailbox.js'
import { bearer, login, post, problem, problemOf, register } from '../client.js'

const NEW_PASSWORD = 'another horse, another battery'
const ISSUER = 'http://127.0.0.1:3000'
const RESET = /Set a new password/
const PROOF = /Confirm your e-mail address/
const CHANGE = /Confirm your new e-mail address/
const KNOWN = /You have an account already/
const BAD_LINK = problem(400, 'Bad Request', 'invalid_email_token', 'This link is not good, or not any more; ask for another.')
const BAD_RESET = problem(400, 'Bad Request', 'invalid_reset_token', 'This link to set a new password is not good, or not any more; ask for another.')
const NOT_VERIFIED = problem(403, 'Forbidden', 'email_not_verified', 'The e-mail address is not confirmed yet: follow the link that was sent there, or ask for another.')
const BAD_EMAIL = problem(400, 'Bad Request', 'invalid_request', 'The request is not of the form that this route takes.', [{ field: 'email', detail: 'It must be an e-mail address of at most 254 characters.' }])
const OTHER = 'grace@example.com'

async function mailApp (t: Test, env: Record<string, string> = {}) {
  const mailbox = openMailbox()
  const app = await testApp(t, env, mailbox.parts)
  /** Whatever was asked for is done. */
  const settle = async () => {
    await post(app.app, '/forgot-password', { email: 'nobody@example.com' })
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => { setImmediate(resolve) })
  }
  return { ...app, ...mailbox, settle }
}

/** The answer but for what is new with each. */
function whole (answer: Awaited<ReturnType<typeof post>>) {
  const { date: _, ...headers } = answer.headers
  return [answer.statusCode, headers, answer.body]
}

t.test('a forgotten password is set anew by a link that is sent to the address, once, and that proves the address', async t => {
  const { app, clock, next, store } = await mailApp(t)
  const id = await register(app)
  const tokens = await login(app)
  t.equal((await next(/New sign-in/)).to, EMAIL)
  const answer = await post(app, '/forgot-password', { email: ' ADA@example.com ' })
  t.strictSame([answer.statusCode, answer.json(), answer.headers['cache-control']], [202, { expires_in: 900 }, 'no-store'])
  const letter = await next(RESET)
  const { view, token } = linkOf(letter)
  t.strictSame([letter.to, view], [EMAIL, 'reset-password'])
  t.match(letter.text, `${ISSUER}/account#reset-password=${token}\n`)
  t.match(letter.text, `until ${new Date(clock.now + 900_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`)
  t.match(letter.html, `<a href="${ISSUER}/account#reset-password=${token}">`)
  t.equal((await post(app, '/reset-password', { token, new_password: NEW_PASSWORD })).statusCode, 204)
  t.equal((await app.inject({ url: '/user-info', headers: bearer(tokens) })).statusCode, 401, 'every device is signed out')
  t.strictSame(problemOf(await post(app, '/reset-password', { token, new_password: PASSWORD })), BAD_RESET, 'once')
  t.equal((await next(/password was changed/)).to, EMAIL)
  t.equal((await store.findUser(id))?.emailVerified, true)
  t.equal((await app.inject({ url: '/user-info', headers: bearer(await login(app, EMAIL, NEW_PASSWORD)) })).json<{ email_verified: boolean }>().email_verified, true)
})

t.test('a link to set a password is void after its time, and once the account is another: its password, its address, or disabled in between', async t => {
  const changes = {
    'its time is over': ({ clock }) => { clock.now += 900_000 },
    'the password is another': async ({ app }) => { await post(app, '/change-password', { current_password: PASSWORD, new_password: NEW_PASSWORD }, bearer(await login(app))) },
    'the address is another': async ({ store, user }) => { await store.changeEmail({ userId: user.id, from: EMAIL, to: OTHER, verifiedHash: user.passwordHash }) },
    'the user is disabled': async ({ store, user }) => { await store.disableUser({ userId: user.id, live: { createdAfter: 0, advancedAfter: 0 }, closing: { at: 1, countsAfter: 0 } }) },
    'the user was disabled and is not any more': async ({ store, user }) => {
      await store.disableUser({ userId: user.id, live: { createdAfter: 0, advancedAfter: 0 }, closing: { at: 1, countsAfter: 0 } })
      await store.enableUser(user.id)
    },
    'the user is deleted': async ({ store, user }) => { await store.deleteUser({ userId: user.id, closing: { at: 1, countsAfter: 0 } }) },
  } satisfies Record<string, (parts: Awaited<ReturnType<typeof mailApp>> & { user: { id: string, passwordHash: string } }) => unknown>
  for (const [what, change] of Object.entries(changes)) {
    const parts = await mailApp(t)
    const { app, next, store } = parts
    const id = await register(app)
    await post(app, '/forgot-password', { email: EMAIL })
    const { token } = linkOf(await next(RESET))
    await change({ ...parts, user: (await store.findUser(id))! })
    t.strictSame(problemOf(await post(app, '/reset-password', { token, new_password: 'a third horse' })), BAD_RESET, what)
  }
})

t.test('whoever asks for a link learns nothing: the answer is whole before anything is looked up', async t => {
  const { app, next, settle, letters, store } = await mailApp(t)
  await register(app)
  const disabled = await register(app, OTHER)
  await store.disableUser({ userId: disabled, live: { createdAfter: 0, advancedAfter: 0 }, closing: { at: 1, countsAfter: 0 } })
  const find = store.findUserByEmail.bind(store)
  for (const url of ['/forgot-password', '/verify-email']) {
    let asked = 0
    store.findUserByEmail = async email => {
      asked++
      return await find(email)
    }
    const answers = await Promise.all([EMAIL, OTHER, 'nobody@example.com'].map(async email => whole(await post(app, url, { email }))))
    t.strictSame(answers[1], answers[0])
    t.strictSame(answers[2], answers[0])
    t.equal((await next(url === '/verify-email' ? PROOF : RESET)).to, EMAIL)
    await settle()
    t.ok(asked > 0)
    t.strictSame(problemOf(await post(app, url, { email: 'nobody' })), BAD_EMAIL)
  }
  t.strictSame(letters, [], 'nobody else gets a mail')
})

t.test('a store that never answers holds up no one who asks', async t => {
  const { app, store } = await mailApp(t)
  store.findUserByEmail = async () => await new Promise(() => {})
  for (const url of ['/forgot-password', '/verify-email']) t.equal((await post(app, url, { email: EMAIL })).statusCode, 202)
})

t.test('an address is proved by the link and the password, once', async t => {
  const { app, clock, next, letters, settle, store } = await mailApp(t)
  const id = await register(app)
  t.strictSame((await post(app, '/verify-email', { email: EMAIL })).json(), { expires_in: 86_400 })
  const letter = await next(PROOF)
  const { view, token } = linkOf(letter)
  t.strictSame([letter.to, view], [EMAIL, 'verify-email'])
  t.strictSame(problemOf(await post(app, '/verify-email', { token, password: 'wrong' })), problem(401, 'Unauthorized', 'invalid_credentials', 'The e-mail address or the password is wrong.'))
  t.equal((await store.findUser(id))?.emailVerified, undefined)
  for (const stranger of ['', 'x', token.slice(0, -1), `${token}x`]) t.strictSame(problemOf(await post(app, '/verify-email', { token: stranger, password: PASSWORD })), BAD_LINK)
  const done = await post(app, '/verify-email', { token, password: PASSWORD })
  t.strictSame([done.statusCode, done.body], [204, ''])
  t.equal((await store.findUser(id))?.emailVerified, true)
  t.strictSame(problemOf(await post(app, '/verify-email', { token, password: PASSWORD })), BAD_LINK)
  await post(app, '/verify-email', { email: EMAIL })
  await settle()
  t.strictSame(letters, [], 'who has proved it is sent nothing more')
  const other = await register(app, OTHER)
  await post(app, '/verify-email', { email: OTHER })
  const late = linkOf(await next(PROOF)).token
  clock.now += 86_400_000
  t.strictSame(problemOf(await post(app, '/verify-email', { token: late, password: PASSWORD })), BAD_LINK)
  t.equal((await store.findUser(other))?.emailVerified, undefined)
})

t.test('a body asks for a link or brings one', async t => {
  const { app } = await mailApp(t)
  const both = [{ field: 'token', detail: 'Either an address comes, to which a link is sent, or the token of such a link.' }]
  const refused = (errors: object[]) => problem(400, 'Bad Request', 'invalid_request', 'The request is not of the form that this route takes.', errors)
  for (const url of ['/verify-email', '/change-email']) {
    for (const body of [{}, { email: EMAIL, token: 'x' }]) t.strictSame(problemOf(await post(app, url, body)), refused(both))
    t.strictSame(problemOf(await post(app, url, { token: 'x' })), refused([{ field: 'password', detail: 'It is missing.' }]))
  }
})

t.test('an address is changed by a fresh caller and a link that is sent to the new one; the old one is told, and links of before are void', async t => {
  const { app, next, letters, store } = await mailApp(t)
  const id = await register(app)
  const tokens = await login(app)
  await next(/New sign-in/)
  await post(app, '/forgot-password', { email: EMAIL })
  const reset = linkOf(await next(RESET)).token
  await post(app, '/verify-email', { email: EMAIL })
  const proof = linkOf(await next(PROOF)).token
  t.strictSame((await post(app, '/change-email', { email: ` ${OTHER.toUpperCase()}` }, bearer(tokens))).json(), { expires_in: 86_400 })
  const letter = await next(CHANGE)
  const { view, token } = linkOf(letter)
  t.strictSame([letter.to, view, (await store.findUser(id))?.email], [OTHER, 'change-email', EMAIL])
  t.strictSame((await post(app, '/change-email', { token: token.replace(/.$/, '~'), password: PASSWORD })).statusCode, 400)
  t.equal((await post(app, '/change-email', { token, password: PASSWORD })).statusCode, 204)
  t.match(await store.findUser(id), { email: OTHER, emailVerified: true, families: { length: 1 } })
  const told = await next(/address was changed/)
  t.equal(told.to, EMAIL)
  t.notMatch(told.text, /grace/, 'and not what it is now')
  for (const [url, body, refusal] of [['/change-email', { token, password: PASSWORD }, BAD_LINK], ['/verify-email', { token: proof, password: PASSWORD }, BAD_LINK], ['/reset-password', { token: reset, new_password: NEW_PASSWORD }, BAD_RESET]] as const) {
    t.strictSame(problemOf(await post(app, url, body)), refusal, url)
  }
  t.equal((await post(app, '/login', { email: EMAIL, password: PASSWORD })).statusCode, 401)
  t.ok(await login(app, OTHER))
  t.strictSame(letters.filter(({ to }) => to === EMAIL), [])
})

t.test('an address does not become that of a stranger\'s account because its owner followed the stranger\'s link: that takes the password, too', async t => {
  const { app, next, store } = await mailApp(t)
  const id = await register(app)
  await post(app, '/change-email', { email: OTHER }, bearer(await login(app)))
  const { token } = linkOf(await next(CHANGE))
  t.strictSame(problemOf(await post(app, '/change-email', { token, password: NEW_PASSWORD })), problem(401, 'Unauthorized', 'invalid_credentials', 'The e-mail address or the password is wrong.'))
  t.match(await store.findUser(id), { email: EMAIL })
  t.equal((await post(app, '/change-email', { token, password: PASSWORD })).statusCode, 204, 'and a wrong one leaves the link good')
})

t.test('who may ask for another address is whoever logged in ten minutes ago at most, or brings the password, three times an hour', async t => {
  const { app, clock, next } = await mailApp(t, { ACCESS_TOKEN_TTL: '1h' })
  await register(app)
  const tokens = await login(app)
  const ask = async (body: object) => await post(app, '/change-email', { email: OTHER, ...body }, bearer(tokens))
  t.equal((await post(app, '/change-email', { email: OTHER })).statusCode, 401)
  t.strictSame(problemOf(await post(app, '/change-email', { email: 'nobody' }, bearer(tokens))), BAD_EMAIL)
  clock.now += 550_000
  t.equal((await ask({})).statusCode, 202)
  clock.now += 49_999
  t.equal((await ask({})).statusCode, 202)
  clock.now++
  t.strictSame(problemOf(await ask({})), problem(403, 'Forbidden', 'fresh_log_in_needed', 'For this the password is needed, or a log-in of the last ten minutes; where the account has a second factor, the password and a code, or a log-in with it.'))
  t.strictSame(problemOf(await ask({ current_password: 'wrong' })), problem(403, 'Forbidden', 'wrong_password', 'The current password is wrong.'))
  t.equal((await ask({ current_password: PASSWORD })).statusCode, 202)
  const refused = await ask({ current_password: PASSWORD, email: 'another@example.com' })
  t.strictSame([refused.statusCode, refused.headers['retry-after']], [429, '3550'])
  clock.now += 3_600_000
  t.equal((await post(app, '/change-email', { email: OTHER }, bearer(await login(app)))).statusCode, 202)
  for (let count = 0; count < 4; count++) t.equal((await next(CHANGE)).to, OTHER)
})

t.test('whoever asks for an address that has an account learns nothing; its owner is told', async t => {
  const { app, next, store } = await mailApp(t)
  await register(app)
  await register(app, OTHER)
  const tokens = await login(app)
  const [taken, free] = [await post(app, '/change-email', { email: OTHER }, bearer(tokens)), await post(app, '/change-email', { email: 'free@example.com' }, bearer(tokens))]
  t.strictSame(whole(taken), whole(free))
  t.equal((await next(KNOWN)).to, OTHER)
  const { token } = linkOf(await next(CHANGE))
  await register(app, 'free@example.com')
  const TAKEN = problem(409, 'Conflict', 'email_taken', 'An account with this e-mail address exists already; log in instead.')
  t.strictSame(problemOf(await post(app, '/change-email', { token, password: PASSWORD })), TAKEN)
  const find = store.findUserByEmail.bind(store)
  store.findUserByEmail = async email => email === EMAIL ? await find(email) : undefined
  t.strictSame(problemOf(await post(app, '/change-email', { token, password: PASSWORD })), TAKEN, 'and where it was registered at the same moment')
  const change = store.changeEmail.bind(store)
  store.changeEmail = async () => 'stale'
  t.strictSame(problemOf(await post(app, '/change-email', { token, password: PASSWORD })), BAD_LINK)
  store.changeEmail = change
})

t.test('to change to the address that one has proves it', async t => {
  const { app, next, store } = await mailApp(t)
  const id = await register(app)
  await post(app, '/change-email', { email: EMAIL }, bearer(await login(app)))
  t.equal((await post(app, '/change-email', { token: linkOf(await next(CHANGE)).token, password: PASSWORD })).statusCode, 204)
  t.match(await store.findUser(id), { email: EMAIL, emailVerified: true })
})

t.test('a registration that tells nobody: the same answer for every address, and a log-in once it is proved', async t => {
  const { app, next, letters, settle, store } = await mailApp(t, { REGISTRATION: 'verified' })
  const answer = await post(app, '/register', { email: ' Ada@Example.com', password: PASSWORD, name: 'Ada' })
  t.strictSame([answer.statusCode, answer.json(), answer.headers['cache-control']], [202, { expires_in: 86_400 }, 'no-store'])
  const letter = await next(PROOF)
  t.match(await store.findUserByEmail(EMAIL), { name: 'Ada', emailVerified: false, families: [] })
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: 'wrong' })), problem(401, 'Unauthorized', 'invalid_credentials', 'The e-mail address or the password is wrong.'))
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: PASSWORD })), NOT_VERIFIED)
  const again = await post(app, '/register', { email: EMAIL, password: NEW_PASSWORD })
  t.strictSame(whole(again), whole(answer))
  t.equal((await next(KNOWN)).to, EMAIL)
  t.equal((await post(app, '/verify-email', { token: linkOf(letter).token, password: NEW_PASSWORD })).statusCode, 401, 'the second one changed nothing')
  t.equal((await post(app, '/verify-email', { token: linkOf(letter).token, password: PASSWORD })).statusCode, 204)
  t.ok((await login(app)).access_token)
  t.strictSame(whole(await post(app, '/register', { email: EMAIL, password: NEW_PASSWORD })), whole(answer))
  const { view } = linkOf(await next(KNOWN))
  t.equal(view, 'reset-password')
  await next(/New sign-in/)
  await settle()
  t.strictSame(letters, [])
  for (const [body, code] of [[{ email: 'nobody', password: PASSWORD }, 'invalid_request'], [{ email: EMAIL, password: 'password' }, 'weak_password'], [{ email: OTHER, password: 'password' }, 'weak_password']] as const) {
    t.equal(problemOf(await post(app, '/register', body))['code'], code)
  }
})

t.test('a registration is answered before anybody knows whether there is an account, and after the password was hashed either way', async t => {
  const { app, store, next } = await mailApp(t, { REGISTRATION: 'verified' })
  await post(app, '/register', { email: EMAIL, password: PASSWORD })
  await next(PROOF)
  const find = store.findUserByEmail.bind(store)
  let open = () => {}
  const held = new Promise<void>(resolve => { open = resolve })
  store.findUserByEmail = async email => {
    await held
    return await find(email)
  }
  t.equal((await post(app, '/register', { email: EMAIL, password: PASSWORD })).statusCode, 202)
  t.equal((await post(app, '/register', { email: OTHER, password: PASSWORD })).statusCode, 202)
  open()
  t.strictSame([(await next(KNOWN)).to, (await next(PROOF)).to], [EMAIL, OTHER])
})

t.test('a stranger who registered somebody else\'s address keeps nobody out, and gains nothing by the owner\'s proof', async t => {
  const { app, next } = await mailApp(t, { REGISTRATION: 'verified' })
  const [stranger, owner] = ['the stranger knows this', 'the owner alone knows this']
  await post(app, '/register', { email: EMAIL, password: stranger })
  const first = linkOf(await next(PROOF))
  t.equal((await post(app, '/verify-email', { token: first.token, password: owner })).statusCode, 401, 'whoever follows a link that a stranger had sent does not vouch for that one')
  await post(app, '/register', { email: EMAIL, password: owner })
  const { token } = linkOf(await next(KNOWN))
  t.equal((await post(app, '/reset-password', { token, new_password: owner })).statusCode, 204)
  t.equal((await post(app, '/login', { email: EMAIL, password: stranger })).statusCode, 401)
  t.ok((await login(app, EMAIL, owner)).access_token)
  t.equal((await post(app, '/verify-email', { token: first.token, password: stranger })).statusCode, 401)
  t.strictSame(problemOf(await post(app, '/verify-email', { token: first.token, password: owner })), BAD_LINK)
})

t.test('a log-in takes a proved address where it is required, however the account came to be', async t => {
  const { app, next, settle, letters } = await mailApp(t, { REQUIRE_VERIFIED_EMAIL: 'true' })
  t.equal((await post(app, '/register', { email: EMAIL, password: PASSWORD })).statusCode, 201)
  const { token: first } = linkOf(await next(PROOF))
  t.ok(first, 'the mail is sent at once')
  t.equal((await post(app, '/register', { email: EMAIL, password: PASSWORD })).statusCode, 409)
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: PASSWORD })), NOT_VERIFIED)
  await post(app, '/verify-email', { email: EMAIL })
  t.equal((await post(app, '/verify-email', { token: linkOf(await next(PROOF)).token, password: PASSWORD })).statusCode, 204)
  t.strictSame(problemOf(await post(app, '/verify-email', { token: first, password: PASSWORD })), BAD_LINK)
  t.ok((await login(app)).access_token)
  await next(/New sign-in/)
  await settle()
  t.strictSame(letters, [])
})

t.test('who registers with the address of somebody who is disabled is sent nothing, and is told nothing', async t => {
  const { app, next, letters, settle, store } = await mailApp(t, { REGISTRATION: 'verified' })
  await post(app, '/register', { email: EMAIL, password: PASSWORD })
  await next(PROOF)
  await store.disableUser({ userId: (await store.findUserByEmail(EMAIL))!.id, live: { createdAfter: 0, advancedAfter: 0 }, closing: { at: 1, countsAfter: 0 } })
  t.equal((await post(app, '/register', { email: EMAIL, password: PASSWORD })).statusCode, 202)
  await settle()
  t.strictSame(letters, [])
})

t.test('people are told of new devices alone: neither of one that shows its token, nor of one whose cookie came', async t => {
  const { app, next, letters, settle } = await mailApp(t)
  await register(app)
  await register(app, OTHER)
  const agent = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0 https://evil.example' }
  const { device_token: device } = (await post(app, '/login', { email: EMAIL, password: PASSWORD }, agent)).json<{ device_token: string }>()
  const letter = await next(/New sign-in/)
  t.match(letter.text, '\nFrom: 127.0.0.1\nWith: Firefox, Linux\n')
  t.notMatch(letter.text + letter.html, /evil/, 'nothing that somebody typed')
  t.equal((await post(app, '/login', { email: EMAIL, password: PASSWORD, device_token: device })).statusCode, 200)
  const inCookie = await app.inject({ method: 'POST', url: '/login', payload: { email: OTHER, password: PASSWORD, refresh_token_in: 'cookie' }, headers: { origin: ISSUER, 'sec-fetch-site': 'same-origin' } })
  t.equal((await next(/New sign-in/)).to, OTHER)
  const cookie = inCookie.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  t.equal((await app.inject({ method: 'POST', url: '/login', payload: { email: OTHER, password: PASSWORD, refresh_token_in: 'cookie' }, headers: { origin: ISSUER, 'sec-fetch-site': 'same-origin', cookie } })).statusCode, 200)
  await settle()
  t.strictSame(letters, [])
  t.equal((await post(app, '/login', { email: OTHER, password: PASSWORD, device_token: device })).statusCode, 200)
  t.equal((await next(/New sign-in/)).to, OTHER, 'the device token of somebody else shows nothing')
})

t.test('people are told of a password that was changed, and of a token that came twice', async t => {
  const { app, clock, next } = await mailApp(t)
  await register(app)
  const first = await login(app)
  const { refresh_token: later } = (await post(app, '/refresh', { refresh_token: first.refresh_token })).json<{ refresh_token: string }>()
  await post(app, '/refresh', { refresh_token: later })
  clock.now += 60_000
  t.equal((await post(app, '/refresh', { refresh_token: first.refresh_token })).statusCode, 401)
  t.match(await next(/device was signed out/), { to: EMAIL })
  t.equal((await post(app, '/change-password', { current_password: PASSWORD, new_password: NEW_PASSWORD }, bearer(await login(app)))).statusCode, 200)
  const letter = await next(/password was changed/)
  t.match(letter, { to: EMAIL, text: new RegExp(`^When: ${new Date(clock.now).toISOString().slice(0, 16).replace('T', ' ')} UTC$`, 'm') })
  t.notMatch(letter.text, /#/, 'no link but to the page')
})

t.test('where no mail is sent there is no route that needs one', async t => {
  const { app } = await testApp(t, { REGISTRATION: 'verified' })
  for (const url of ['/forgot-password', '/verify-email', '/change-email']) t.equal((await post(app, url, { email: EMAIL })).statusCode, 404)
  t.equal((await post(app, '/register', { email: EMAIL, password: PASSWORD })).statusCode, 403, 'nor an account that nobody could prove')
})

t.test('the document has the routes of mails, with both answers of a registration', async t => {
  const { app } = await mailApp(t, { REGISTRATION: 'verified' })
  const { paths } = (await app.inject('/docs/json')).json<{ paths: Record<string, { post: { responses: object, security: object } }> }>()
  const answers = (path: string) => Object.keys(paths[path]!.post.responses).filter(status => status.startsWith('2'))
  t.strictSame([answers('/register'), answers('/forgot-password'), answers('/verify-email'), answers('/change-email')], [['201', '202'], ['202'], ['202', '204'], ['202', '204']])
  t.strictSame(paths['/change-email']!.post.security, [{}, { bearer: [] }])
})

t.test('the log holds no link and no address of a mail', async t => {
  const { app, lines, next } = await mailApp(t, { LOG_LEVEL: 'trace' })
  await register(app)
  await post(app, '/forgot-password', { email: EMAIL })
  const { token } = linkOf(await next(RESET))
  await post(app, '/reset-password', { token, new_password: NEW_PASSWORD })
  await next(/password was changed/)
  app.log.info({ token }, `${ISSUER}/account#reset-password=${token}`)
  t.notMatch(lines.join(''), token)
  t.notMatch(lines.join(''), EMAIL)
  t.match(lines.join(''), 'password.reset_asked')
})

t.test('a mail that is refused for good is said in the log', async t => {
  const { mail } = openMailbox().parts
  let refused = () => {}
  const isRefused = new Promise<void>(resolve => { refused = resolve })
  const { app, lines } = await testApp(t, {}, { mail: { ...mail, send: async () => { setImmediate(refused); throw new LetterRefused('The mail server refused the mail: 550') } } })
  await register(app)
  await post(app, '/forgot-password', { email: EMAIL })
  await isRefused
  t.match(lines.join(''), '"msg":"a mail was refused"')
})

t.test('while mails cannot be sent Signet serves, and says that somebody has to see to it', async t => {
  const { mail } = openMailbox().parts
  let isDown = true
  let told = () => {}
  const { app, clock } = await testApp(t, {}, {
    mail: {
      ...mail,
      send: async () => {
        setImmediate(() => { told() })
        if (isDown) throw new Error('connect ECONNREFUSED')
      },
    },
  })
  await register(app)
  await register(app, OTHER)
  const ready = async (email: string) => {
    const tried = new Promise<void>(resolve => { told = resolve })
    await post(app, '/forgot-password', { email })
    await tried
    clock.now += 1000
    const answer = await app.inject('/health/ready')
    return [answer.statusCode, answer.json()]
  }
  t.strictSame(await ready(EMAIL), [200, { status: 'degraded', reason: 'Mails cannot be sent, and are tried again; the log says why.' }])
  isDown = false
  t.strictSame(await ready(OTHER), [200, { status: 'ok' }])
})

t.test('an address may ask for so many links and registrations together, and is refused alike whoever they are for', async t => {
  const { app } = await mailApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_REGISTER_MAX: '4', REGISTRATION: 'verified' })
  await post(app, '/register', { email: EMAIL, password: PASSWORD })
  for (const url of ['/forgot-password', '/verify-email', '/change-email']) t.not((await post(app, url, { email: EMAIL })).statusCode, 429, url)
  const refusals = await Promise.all([EMAIL, 'nobody@example.com'].flatMap(email => ['/forgot-password', '/verify-email', '/register'].map(async url => {
    const answer = await post(app, url, { email, password: PASSWORD })
    return [answer.statusCode, problemOf(answer)]
  })))
  for (const refusal of refusals) t.strictSame(refusal, [429, problem(429, 'Too Many Requests', 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.')])
})
