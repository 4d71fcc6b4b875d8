// What the client asks for about second factors, and how it has a browser make and use a passkey, one that speaks JSON of them and one that does not.
import t, { type Test } from 'tap'
import { createSecondFactors, knowsPasskeys } from '../../src/client/second-factors.js'
import { ACCOUNT, answer, lose, openBrowser, type Fault } from './fake-browser.js'

const BYTES = Uint8Array.of(0, 1, 250, 251, 255)
const TEXT = 'AAH6-_8'
const DONE: Fault = async () => new Response(null, { status: 204 })
const token = `e30.${Buffer.from(JSON.stringify({ sub: 'ada' })).toString('base64url')}.`
const PAIR = { access_token: token, expires_in: 600 }
const CODES = { recovery_codes: ['9f3k-2m7q'] }
const NEW = { publicKey: { rp: { id: 'localhost', name: 'localhost' }, user: { id: TEXT, name: 'a', displayName: 'A' }, challenge: TEXT, excludeCredentials: [{ type: 'public-key', id: TEXT, transports: [] }] } }
const USED = { publicKey: { challenge: TEXT, rpId: 'localhost', allowCredentials: [{ type: 'public-key', id: TEXT, transports: ['usb'] }] } }

type Browser = Awaited<ReturnType<typeof openBrowser>>

/** What was sent last: with which token, how, where, and what. */
async function sent ({ sent }: Browser, back = 1): Promise<unknown[]> {
  const request = sent.at(-back)!
  return [request.headers.get('authorization')?.replace(/ eyJ.*/, ' eyJ') ?? null, request.method, new URL(request.url).pathname, request.body ? await request.clone().json() : undefined]
}

/** A browser with passkeys, as far as the client asks; what it was asked for, and what it answers. */
function withPasskeys (t: Test, { speaksJson = true, refuses = '' } = {}) {
  const asked: unknown[] = []
  const credential = (response: object) => ({ id: TEXT, type: 'public-key', response, ...(speaksJson && { toJSON: () => ({ id: TEXT, json: true }) }) })
  const give = (response: object) => async (options: unknown) => {
    asked.push(options)
    if (refuses) throw Object.assign(new Error('no'), { name: refuses })
    return credential(response)
  }
  const credentials = {
    get: give({ clientDataJSON: BYTES.buffer, authenticatorData: BYTES.buffer, signature: BYTES.buffer, userHandle: null }),
    create: give({ clientDataJSON: BYTES.buffer, attestationObject: BYTES.buffer, getTransports: () => ['internal'] }),
  }
  Object.assign(globalThis.navigator, { credentials })
  const statics = speaksJson ? { parseRequestOptionsFromJSON: (options: object) => ({ parsed: options }), parseCreationOptionsFromJSON: (options: object) => ({ parsed: options }) } : {}
  Object.defineProperty(globalThis, 'PublicKeyCredential', { value: statics, configurable: true })
  t.teardown(() => { Reflect.deleteProperty(globalThis, 'PublicKeyCredential') })
  return asked
}

t.test('a log-in goes on by a code or a recovery code, and what it throws says how', async t => {
  const browser = await openBrowser(t)
  const tab = browser.openTab()
  const factors = createSecondFactors(tab)
  browser.faults.push(answer(401, { code: 'second_factor_required', detail: 'One more step.', ticket: 'a-ticket', methods: ['totp', 'recovery_code'], expires_in: 300 }))
  await t.rejects(tab.login(ACCOUNT), { code: 'second_factor_required', ticket: 'a-ticket', methods: ['totp', 'recovery_code'], enrol: false })
  t.equal(tab.status, 'unknown')
  for (const [brought, body] of [[{ code: '123456' }, { code: '123456' }], [{ recoveryCode: '9f3k-2m7q' }, { recovery_code: '9f3k-2m7q' }]] as const) {
    browser.faults.push(answer(200, PAIR), answer(200, PAIR))
    await factors.logIn('a-ticket', brought)
    t.strictSame(await sent(browser, 2), [null, 'POST', '/login/second-factor', { ticket: 'a-ticket', ...body, refresh_token_in: 'cookie' }])
  }
  t.strictSame([tab.status, tab.changes], ['signed-in', [{ status: 'signed-in' }]], 'who proves it once more is no news')
  browser.faults.push(answer(200, { recovery_codes: [] }))
  await t.rejects(factors.logIn('a-ticket', { code: '123456' }), { code: 'unexpected' })
})

t.test('whoever is signed in lists, adds and removes them, with a proof where one is wanted', async t => {
  const browser = await openBrowser(t)
  const factors = createSecondFactors(await browser.openSession())
  const asked = withPasskeys(t)
  const proof = { currentPassword: ACCOUNT.password, code: '123456' }
  const proved = { current_password: ACCOUNT.password, code: '123456' }
  const cases: Array<[work: () => Promise<unknown>, faults: Fault[], last: unknown[], outcome: unknown]> = [
    [factors.list, [answer(200, { totp: null, passkeys: [], recovery_codes: 0 })], ['GET', '/second-factors', undefined], { totp: null, passkeys: [], recovery_codes: 0 }],
    [async () => await factors.offerApp(), [answer(200, { secret: 's' })], ['POST', '/second-factors/totp', {}], { secret: 's' }],
    [async () => await factors.offerApp(proof), [answer(200, { secret: 's' })], ['POST', '/second-factors/totp', proved], { secret: 's' }],
    [async () => await factors.confirmApp({ ticket: 'offer', code: '1', closeOthers: true }), [answer(201, CODES)], ['POST', '/second-factors/totp/confirm', { ticket: 'offer', code: '1', close_others: true }], CODES],
    [async () => { await factors.removeApp() }, [DONE], ['DELETE', '/second-factors/totp', {}], undefined],
    [async () => { await factors.removeApp({ ...proof, closeOthers: false }) }, [DONE], ['DELETE', '/second-factors/totp', { ...proved, close_others: false }], undefined],
    [async () => await factors.addPasskey({ name: 'Phone', ...proof }), [answer(200, { challenge: TEXT }), answer(201, CODES)], ['POST', '/second-factors/passkeys', { passkey: { id: TEXT, json: true }, name: 'Phone' }], CODES],
    [async () => { await factors.renamePasskey(TEXT, 'Laptop') }, [answer(200, {})], ['PATCH', `/second-factors/passkeys/${TEXT}`, { name: 'Laptop' }], undefined],
    [async () => { await factors.removePasskey(TEXT) }, [DONE], ['DELETE', `/second-factors/passkeys/${TEXT}`, {}], undefined],
    [async () => { await factors.removePasskey(TEXT, { ...proof, closeOthers: true }) }, [DONE], ['DELETE', `/second-factors/passkeys/${TEXT}`, { ...proved, close_others: true }], undefined],
    [async () => await factors.makeRecoveryCodes(proof), [answer(200, CODES)], ['POST', '/second-factors/recovery-codes', proved], CODES.recovery_codes],
  ]
  for (const [work, faults, last, outcome] of cases) {
    browser.faults.push(...faults)
    t.strictSame(await work(), outcome)
    t.strictSame(await sent(browser), ['Bearer eyJ', ...last])
  }
  t.strictSame(asked, [{ publicKey: { parsed: { challenge: TEXT } } }])
  browser.faults.push(lose)
  await t.rejects(factors.list(), { code: 'unreachable' })
})

t.test('a log-in that must have one first adds it by its ticket, and is done by that', async t => {
  const browser = await openBrowser(t)
  const tab = browser.openTab()
  const factors = createSecondFactors(tab)
  withPasskeys(t)
  browser.faults.push(answer(200, { secret: 's', ticket: 'offer' }))
  t.strictSame(await factors.offerApp({ logIn: 'a.b.c.d.e' }), { secret: 's', ticket: 'offer' })
  t.strictSame(await sent(browser), ['Bearer a.b.c.d.e', 'POST', '/second-factors/totp', {}])
  browser.faults.push(answer(201, { ...PAIR, ...CODES }), answer(200, PAIR))
  t.match(await factors.confirmApp({ ticket: 'offer', code: '1', logIn: 'a.b.c.d.e' }), CODES)
  t.strictSame(await sent(browser, 2), ['Bearer a.b.c.d.e', 'POST', '/second-factors/totp/confirm', { ticket: 'offer', code: '1', refresh_token_in: 'cookie' }])
  browser.faults.push(answer(200, {}), answer(201, { ...PAIR, ...CODES }), answer(200, PAIR))
  t.match(await factors.addPasskey({ name: 'Phone', logIn: 'a.b.c.d.e' }), CODES)
  t.strictSame(await sent(browser, 3), ['Bearer a.b.c.d.e', 'POST', '/second-factors/passkeys/options', {}])
  t.strictSame(await sent(browser, 2), ['Bearer a.b.c.d.e', 'POST', '/second-factors/passkeys', { passkey: { id: TEXT, json: true }, name: 'Phone', refresh_token_in: 'cookie' }])
  t.equal(tab.status, 'signed-in')
})

for (const [speaksJson, expected] of [[true, { id: TEXT, json: true }], [false, { id: TEXT, rawId: TEXT, type: 'public-key', clientExtensionResults: {}, response: { clientDataJSON: TEXT, authenticatorData: TEXT, signature: TEXT } }]] as const) {
  t.test(`a passkey logs in, or goes on with a log-in, in a browser that ${speaksJson ? 'speaks' : 'does not speak'} JSON of them`, async t => {
    const browser = await openBrowser(t)
    t.notOk(knowsPasskeys())
    const factors = createSecondFactors(browser.openTab())
    const asked = withPasskeys(t, { speaksJson })
    t.ok(knowsPasskeys())
    for (const [ticket, path, members] of [[undefined, '/login/passkey', {}], ['a-ticket', '/login/second-factor', { ticket: 'a-ticket' }]] as const) {
      browser.faults.push(answer(200, USED.publicKey), answer(200, PAIR), answer(200, PAIR))
      await factors.logInByPasskey(ticket)
      t.strictSame(await sent(browser, 3), [null, 'POST', '/login/passkey/options', members])
      t.strictSame(await sent(browser, 2), [null, 'POST', path, { ...members, passkey: expected, refresh_token_in: 'cookie' }])
    }
    const options = { publicKey: { ...USED.publicKey, challenge: BYTES, allowCredentials: [{ type: 'public-key', transports: ['usb'], id: BYTES }] } }
    t.strictSame(asked, Array(2).fill(speaksJson ? { publicKey: { parsed: USED.publicKey } } : options))
  })
}

t.test('a browser that does not speak JSON makes passkeys all the same', async t => {
  const browser = await openBrowser(t)
  const factors = createSecondFactors(await browser.openSession())
  const asked = withPasskeys(t, { speaksJson: false })
  browser.faults.push(answer(200, NEW.publicKey), answer(201, { recovery_codes: null }))
  await factors.addPasskey({ name: 'Phone' })
  t.strictSame(asked, [{ publicKey: { ...NEW.publicKey, challenge: BYTES, user: { ...NEW.publicKey.user, id: BYTES }, excludeCredentials: [{ type: 'public-key', transports: [], id: BYTES }] } }])
  t.match((await sent(browser))[3], { passkey: { id: TEXT, rawId: TEXT, type: 'public-key', response: { clientDataJSON: TEXT, attestationObject: TEXT, transports: ['internal'] } }, name: 'Phone' })
})

t.test('what a browser refuses is told by its code', async t => {
  const browser = await openBrowser(t)
  const factors = createSecondFactors(browser.openTab())
  for (const [refuses, code] of [['NotAllowedError', 'passkey_given_up'], ['AbortError', 'passkey_given_up'], ['InvalidStateError', 'passkey_exists'], ['SecurityError', 'passkey_unsupported']] as const) {
    withPasskeys(t, { refuses })
    browser.faults.push(answer(200, USED.publicKey))
    await t.rejects(factors.logInByPasskey(), { name: 'SignetError', code })
  }
})
