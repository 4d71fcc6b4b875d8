// What the client asks for by mail, and as whom: each request as the route has it, and what is thrown where there is no answer of Signet's.
import t from 'tap'
import { createRecovery } from '../../src/client/recovery.js'
import { ACCOUNT, answer, lose, openBrowser } from './fake-browser.js'

const SENT = answer(202, { expires_in: 900 })
const DONE = async () => new Response(null, { status: 204 })

t.test('links are asked for, and used, as nobody', async t => {
  const browser = await openBrowser(t)
  const recovery = createRecovery(browser.openTab())
  for (const [work, fault, path, body] of [
    [async () => { await recovery.forgotPassword(ACCOUNT.email) }, SENT, '/forgot-password', { email: ACCOUNT.email }],
    [async () => { await recovery.resetPassword({ token: 'a.b', newPassword: 'another harbour' }) }, DONE, '/reset-password', { token: 'a.b', new_password: 'another harbour' }],
    [async () => { await recovery.sendVerification(ACCOUNT.email) }, SENT, '/verify-email', { email: ACCOUNT.email }],
    [async () => { await recovery.verifyEmail({ token: 'a.b', password: ACCOUNT.password }) }, DONE, '/verify-email', { token: 'a.b', password: ACCOUNT.password }],
    [async () => { await recovery.changeEmail({ token: 'a.b', password: ACCOUNT.password }) }, DONE, '/change-email', { token: 'a.b', password: ACCOUNT.password }],
  ] as const) {
    browser.faults.push(fault)
    t.equal(await work(), undefined)
    const request = browser.sent.at(-1)!
    t.strictSame([request.method, new URL(request.url).pathname, await request.json(), request.headers.get('authorization')], ['POST', path, body, null])
    browser.faults.push(answer(200, '<h1>Welcome to our hotel</h1>'))
    await t.rejects(work(), { name: 'SignetError', code: 'unexpected', status: 200 })
    browser.faults.push(lose)
    await t.rejects(work(), { name: 'SignetError', code: 'unreachable' })
  }
  t.equal((await createRecovery(browser.openTab()).resetPassword({ token: 'a.b', newPassword: 'another harbour' }).catch((error: { code: string }) => error))!.code, 'invalid_reset_token')
})

t.test('another address is asked for as who is signed in, with a proof where one is wanted', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  const recovery = createRecovery(tab)
  for (const [proof, sent] of [[undefined, {}], [{ currentPassword: ACCOUNT.password, code: '123456' }, { current_password: ACCOUNT.password, code: '123456' }]] as const) {
    browser.faults.push(SENT)
    await recovery.askToChangeEmail('ada@example.org', proof)
    const request = browser.sent.at(-1)!
    t.match(request.headers.get('authorization'), /^Bearer eyJ/)
    t.strictSame([request.method, new URL(request.url).pathname, await request.json()], ['POST', '/change-email', { email: 'ada@example.org', ...sent }])
  }
  const ask = async () => { await recovery.askToChangeEmail('ada@example.org') }
  browser.faults.push(answer(403, { code: 'fresh_log_in_needed', detail: 'For this the password is needed.' }))
  await t.rejects(ask(), { code: 'fresh_log_in_needed', status: 403, methods: [], ticket: undefined, enrol: false })
  browser.faults.push(answer(202, '<h1>Welcome to our hotel</h1>'))
  await t.rejects(ask(), { code: 'unexpected', status: 202 })
  browser.faults.push(lose)
  await t.rejects(ask(), { name: 'SignetError', code: 'unreachable', message: 'Signet cannot be reached. Check the connection and try again.' })
  await tab.logout()
  await t.rejects(ask(), { code: 'invalid_grant' })
})

t.test('a registration that is answered by mail answers no user', async t => {
  const browser = await openBrowser(t)
  const tab = browser.openTab()
  browser.faults.push(answer(202, { expires_in: 86_400 }))
  t.equal(await tab.register(ACCOUNT), undefined)
})
