// How many wrong passwords an account takes: from one place, from everywhere, and from where its owner is.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { DeviceClaims } from '../../src/core/device-token.js'
import { readRefreshToken } from '../../src/core/refresh-token.js'
import { AuthError } from '../../src/errors.js'
import { AccountService } from '../../src/services/account-service.js'
import { GuessLimits, type Guess } from '../../src/services/guess-limits.js'
import type { TokenService } from '../../src/services/token-service.js'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import type { Store, User } from '../../src/store/store.js'
import { LIMITS, NOW, openServices, PASSWORD } from './parts.js'

const WINDOW = 900_000
const settings = { window: WINDOW, placeMax: 2, accountMax: 5 }
const HOME = '192.0.2.1'
const NOBODY = 'nobody@example.com'
const NEW_PASSWORD = 'another horse, another battery'

const from = (ip: string) => ({ ip, userAgent: null })

/** Services with limits, an owner who is logged in at home, and what guesses are answered. */
async function open (t: Parameters<typeof openServices>[0], limits = settings) {
  const services = await openServices(t, 4, limits)
  const { accounts, tokens, keyRing, store, user } = services
  const { refreshToken, accessToken, deviceToken } = (await tokens.open(user, user.passwordHash, from(HOME), NOW))!
  const held = readRefreshToken(refreshToken, keyRing.findSecret)!
  const device = tokens.readDevices([deviceToken], NOW)[0]!
  const outcome = async (work: Promise<unknown>) => await work.then(() => 'right', (error: AuthError) => error.code)
  const guess = async (ip: string, { password = 'wrong', email = user.email, now = NOW, cookie = undefined as typeof held | undefined, devices = [] as DeviceClaims[], by = accounts } = {}) =>
    await outcome(by.authenticate(email, password, from(ip), now, { family: cookie, devices }))
  const failed = async () => (await store.findUser(user.id))!.failed
  return { ...services, held, device, accessToken, guess, outcome, failed }
}

const right = { password: PASSWORD }

/** What the device token of one more log-in says. */
async function deviceOf (tokens: TokenService, user: User): Promise<DeviceClaims> {
  const { deviceToken } = (await tokens.open(user, user.passwordHash, from('192.0.2.9'), NOW))!
  return tokens.readDevices([deviceToken], NOW)[0]!
}

t.test('one address is held tightly, an IPv6 one by its /64, and no other with it', async t => {
  const { guess, accounts, user } = await open(t)
  t.strictSame([await guess('2001:db8::1'), await guess('2001:db8::2'), await guess('2001:db8::3', right)], ['invalid_credentials', 'invalid_credentials', 'rate_limited'])
  await t.rejects(accounts.authenticate(user.email, PASSWORD, from('2001:db8::1'), NOW + 1000), { code: 'rate_limited', retryAfter: 899 })
  t.equal(await guess('2001:db8:0:1::1', right), 'right')
  t.equal(await guess('2001:db8::1', { ...right, now: NOW + WINDOW }), 'right', 'until the window is over')
})

t.test('an account is held loosely, and nobody can keep out its owner who comes from where it is used, or with its token', async t => {
  const { guess, held, failed } = await open(t)
  for (let n = 0; n < 5; n++) t.equal(await guess(`198.51.100.${n}`), 'invalid_credentials')
  t.strictSame(await failed(), { since: NOW, known: 0, stranger: 5 })
  t.equal(await guess('198.51.100.9', right), 'rate_limited')
  t.equal(await guess(HOME, right), 'right')
  t.equal(await guess('198.51.100.9', { ...right, cookie: held }), 'right')
  t.equal(await guess('198.51.100.9', { ...right, cookie: { ...held, familyId: 'another' } }), 'rate_limited', 'a token of a family that is none of it')
  t.equal(await guess('198.51.100.9', { ...right, now: NOW + WINDOW }), 'right')
})

t.test('a place counts as known for as long as its family lives', async t => {
  const { guess, held } = await open(t)
  for (let n = 0; n < 5; n++) await guess(`198.51.100.${n}`)
  // The families' idle time is longer than the window, so the strangers go on.
  const later = NOW + LIMITS.idle
  for (let n = 0; n < 5; n++) await guess(`198.51.100.${n}`, { now: later })
  t.equal(await guess(HOME, { ...right, now: later }), 'rate_limited')
  t.equal(await guess('203.0.113.1', { ...right, now: later, cookie: held }), 'rate_limited')
})

t.test('who is known has a limit too: each device its own, each network its own, and all of those together', async t => {
  const { guess, held, failed, tokens, user } = await open(t)
  for (let n = 0; n < 3; n++) t.equal(await guess('203.0.113.1', { cookie: held }), 'invalid_credentials')
  t.strictSame(await failed(), { since: NOW, known: 0, stranger: 1, devices: { [held.familyId]: 2 } }, 'what is spent is as none')
  for (const expected of ['invalid_credentials', 'invalid_credentials', 'rate_limited']) t.equal(await guess(HOME), expected)
  for (const home of ['192.0.2.2', '192.0.2.3']) await tokens.open(user, user.passwordHash, from(home), NOW)
  for (const expected of ['invalid_credentials', 'invalid_credentials', 'rate_limited']) t.equal(await guess('192.0.2.2'), expected)
  for (const expected of ['invalid_credentials', 'rate_limited']) t.equal(await guess('192.0.2.3'), expected)
  t.strictSame(await failed(), { since: NOW, known: 5, stranger: 1, devices: { [held.familyId]: 2 } })
  t.equal(await guess('203.0.113.2', right), 'right', 'strangers have lost nothing by it')
})

t.test('ten thousand failures of strangers, from the owner\'s own network too, keep out nobody who logged in before from that device', async t => {
  const { guess, device, user, failed } = await open(t)
  const answers = new Map<string, number>()
  for (let n = 0; n < 10_000; n++) {
    const answer = await guess(n % 2 ? HOME : `198.51.${n >> 8}.${n & 255}`)
    answers.set(answer, (answers.get(answer) ?? 0) + 1)
  }
  t.strictSame([...answers], [['invalid_credentials', 7], ['rate_limited', 9_993]])
  t.strictSame(await failed(), { since: NOW, known: 2, stranger: 5 })
  t.equal(await guess(HOME, right), 'rate_limited')
  for (const ip of [HOME, '203.0.113.1']) t.equal(await guess(ip, { ...right, devices: [device] }), 'right', ip)
  t.equal(await guess('203.0.113.1', { ...right, devices: [{ userId: randomUUID(), deviceId: randomUUID() }, device] }), 'right', 'in a browser that others use')
  t.equal(await guess('203.0.113.1', { ...right, devices: [{ ...device, userId: randomUUID() }] }), 'rate_limited', 'another account\'s')
  t.equal(await guess('203.0.113.1', { email: NOBODY, devices: [device] }), 'invalid_credentials')
  t.strictSame(await failed(), { since: NOW, known: 2, stranger: 5 }, `a right password writes nothing: ${user.id}`)
})

t.test('whoever has stolen a device token has its own few guesses, and takes none from anybody', async t => {
  const { guess, device, tokens, user, failed } = await open(t)
  const other = await deviceOf(tokens, user)
  for (let n = 0; n < 2; n++) t.equal(await guess('198.51.100.1', { devices: [device] }), 'invalid_credentials')
  t.strictSame(await failed(), { since: NOW, known: 0, stranger: 0, devices: { [device.deviceId]: 2 } })
  for (let n = 0; n < 2; n++) t.equal(await guess('198.51.100.1', { devices: [device] }), 'invalid_credentials', 'as any stranger')
  t.equal(await guess('198.51.100.1', { ...right, devices: [device] }), 'rate_limited')
  t.strictSame(await failed(), { since: NOW, known: 0, stranger: 2, devices: { [device.deviceId]: 2 } })
  t.equal(await guess('203.0.113.1', { ...right, devices: [other] }), 'right')
  t.equal(await guess('203.0.113.1', right), 'right')
  t.equal(await guess('203.0.113.2', { ...right, devices: [device] }), 'right', 'its owner, as without one')
  t.equal(await guess('198.51.100.1', { ...right, devices: [device], now: NOW + WINDOW }), 'right')
})

t.test('what a device got wrong stays counted when it gets in, which gives it another token', async t => {
  const { guess, device, failed } = await open(t)
  for (let n = 0; n < 2; n++) t.strictSame([await guess('203.0.113.1', { devices: [device] }), await guess('203.0.113.1', { ...right, devices: [device] })], ['invalid_credentials', 'right'])
  t.strictSame(await failed(), { since: NOW, known: 0, stranger: 0, devices: { [device.deviceId]: 2 } })
})

t.test('of so many devices that fail one more is as none', async t => {
  const { guess, tokens, user, failed } = await open(t)
  const devices: DeviceClaims[] = []
  for (let n = 0; n < 11; n++) devices.push(await deviceOf(tokens, user))
  for (const device of devices) await guess('198.51.100.1', { devices: [device] })
  t.strictSame(await failed(), { since: NOW, known: 0, stranger: 1, devices: Object.fromEntries(devices.slice(0, 10).map(({ deviceId }) => [deviceId, 1])) })
  t.equal(await guess('198.51.100.1', { ...right, devices: [devices[0]!] }), 'right')
})

t.test('an address that is no account\'s is answered as one that is', async t => {
  const { guess, user } = await open(t)
  const sequence = async (email: string) => {
    const answers: string[] = []
    for (const n of [1, 1, 1, 2, 3, 4, 5]) answers.push(await guess(`198.51.100.${n}`, { email }))
    answers.push(await guess('198.51.100.5', { email, now: NOW + WINDOW }))
    return answers
  }
  const [known, unknown] = [await sequence(user.email), await sequence(NOBODY)]
  t.strictSame(known, ['invalid_credentials', 'invalid_credentials', 'rate_limited', 'invalid_credentials', 'invalid_credentials', 'invalid_credentials', 'rate_limited', 'invalid_credentials'])
  t.strictSame(unknown, known)
  t.strictSame(await sequence('nobody\u2800@example.com'), known, 'nor one that could be an account before, and none now')
})

t.test('an address is one whichever spelling is guessed at, with an account or without', async t => {
  const { guess, accounts } = await open(t)
  await accounts.register({ email: 'eve@münchen.example', password: PASSWORD, name: null }, from(HOME), NOW)
  for (const name of ['eve', 'nobody']) {
    const spellings = [`${name}@münchen.example`, `${name}@xn--mnchen-3ya.example`, `${name}@MÜNCHEN.example`]
    const answers: string[] = []
    for (const email of spellings) answers.push(await guess('198.51.100.1', { email }))
    t.strictSame(answers, ['invalid_credentials', 'invalid_credentials', 'rate_limited'], name)
  }
})

t.test('what one process counts of an account counts at every other', async t => {
  const { guess, held, store, hasher } = await open(t)
  const other = new AccountService({ store, hasher, passwordMinLength: 8, registration: 'open', families: LIMITS, guesses: new GuessLimits(settings, store), closingRetention: 900_000, places: undefined, record: () => {} })
  for (let n = 0; n < 5; n++) await guess(`198.51.100.${n}`)
  t.equal(await guess('198.51.100.9', { ...right, by: other }), 'rate_limited')
  t.equal(await guess(HOME, { ...right, by: other }), 'right')
  for (let n = 0; n < 2; n++) await guess('198.51.100.9', { cookie: held })
  t.equal(await guess('198.51.100.9', { ...right, cookie: held, by: other }), 'rate_limited')
  t.equal(await guess('198.51.100.9', { ...right, by: other, now: NOW + WINDOW }), 'right')
})

t.test('guesses made all at once, from one place or from many, are no more than guesses made one by one', async t => {
  const { guess, failed } = await open(t)
  const atOnce = async (ipOf: (n: number) => string, email?: string) => (await Promise.all(Array.from({ length: 30 }, async (_, n) => await guess(ipOf(n), email ? { email } : {})))).filter(code => code === 'invalid_credentials').length
  t.equal(await atOnce(() => HOME), 2)
  t.equal(await atOnce(n => `198.51.100.${n}`), 5)
  t.equal(await atOnce(n => `198.51.100.${n}`, NOBODY), 5)
  t.strictSame(await failed(), { since: NOW, known: 2, stranger: 5 })
})

t.test('guesses that hold all that is left are over in a moment, and one that was right takes nothing', async t => {
  const { accounts, user, guess } = await open(t)
  const answers = await Promise.allSettled(Array.from({ length: 3 }, async () => await accounts.authenticate(user.email, PASSWORD, from('198.51.100.1'), NOW)))
  t.match(answers.map(answer => answer.status === 'rejected' ? answer.reason as AuthError : 'right'), ['right', 'right', { code: 'rate_limited', retryAfter: 1 }])
  for (let n = 0; n < 3; n++) t.equal(await guess('198.51.100.1', right), 'right')
})

t.test('what was not decided counts nothing and holds nothing', async t => {
  const { store, user, failed } = await open(t)
  const limits = new GuessLimits(settings, store)
  const guess = { email: user.email, user, places: [{ id: HOME, by: 'known' as const }] }
  for (let n = 0; n < 10; n++) await t.rejects(limits.check(guess, NOW, async () => { throw new AuthError('busy') }), { code: 'busy' })
  t.equal(await failed(), undefined)
  t.equal(await limits.check(guess, NOW, async () => true), 'right')
})

t.test('a first wrong one counts though the store cannot be told, and no other is tried', async t => {
  const { store, user } = await open(t)
  const limits = new GuessLimits({ ...settings, placeMax: 1 }, store)
  const at = (id: string) => ({ email: user.email, user, places: [{ id, by: 'known' as const }] })
  await store.close()
  await t.rejects(limits.check(at(HOME), NOW, async () => false), { code: 'unavailable' })
  await t.rejects(limits.check(at(HOME), NOW, async () => true), { code: 'rate_limited' })
  await t.rejects(limits.check(at('192.0.2.2'), NOW, async () => t.fail('it was tried')), { code: 'unavailable' })
})

/** A store that tells what is asked of it. */
function watched (store: Store): { store: Store, asked: string[] } {
  const asked: string[] = []
  const tell = (name: string) => { asked.push(name) }
  return { asked, store: new Proxy(store, { get: (target, name) => { tell(String(name)); return (target[name as keyof Store] as (...args: unknown[]) => unknown).bind(target) } }) }
}

t.test('a right password asks nothing more of the store than the log-in reads, unless something was counted for the like of who gives it', async t => {
  const { store: inner, hasher, user, device, guess } = await open(t)
  const { store, asked } = watched(inner)
  const by = new AccountService({ store, hasher, passwordMinLength: 8, registration: 'open', families: LIMITS, guesses: new GuessLimits(settings, store), closingRetention: 900_000, places: undefined, record: () => {} })
  const askedBy = async (how: object) => { await guess('198.51.100.1', { by, ...how }); return asked.splice(0) }
  t.strictSame(await askedBy(right), ['findUserByEmail'])
  t.strictSame(await askedBy({}), ['findUserByEmail', 'takeGuess'])
  t.strictSame(await askedBy({ ...right, devices: [device] }), ['findUserByEmail'])
  t.strictSame(await askedBy(right), ['findUserByEmail', 'takeGuess', 'giveBackGuess'])
  t.match((await inner.findUser(user.id))?.failed, { stranger: 1 })
  t.strictSame(await askedBy({ email: NOBODY }), ['findUserByEmail', 'takeGuess'], 'and for nobody the same')
  t.strictSame(await askedBy({ email: NOBODY }), ['findUserByEmail', 'takeGuess'])
})

t.test('guesses made all at once at two processes are as many as one takes, and one more at most for each process', async t => {
  const { store, folder, hasher, guess, user, device, failed } = await open(t)
  const another = new SqliteStore(`${folder}/signet.db`)
  t.teardown(async () => { await another.close() })
  const processes = [store, another].map(store => new AccountService({ store, hasher, passwordMinLength: 8, registration: 'open', families: LIMITS, guesses: new GuessLimits(settings, store), closingRetention: 900_000, places: undefined, record: () => {} }))
  const tried = async (how: object, ipOf: (n: number) => string) => {
    const answers = await Promise.all(Array.from({ length: 40 }, async (_, n) => await guess(ipOf(n), { by: processes[n % 2]!, ...how })))
    return answers.filter(answer => answer !== 'rate_limited').length
  }
  const strangers = await tried({}, n => `198.51.100.${n}`)
  t.ok(strangers >= 5 && strangers <= 7, `${strangers} of strangers`)
  const stolen = await tried({ devices: [device], now: NOW + WINDOW }, () => '198.51.100.1')
  // What the device has not left it may as a stranger, whose network each process holds for itself.
  t.ok(stolen >= 2 && stolen <= 4 + 2 * 2, `${stolen} with a stolen token`)
  t.ok((await failed())!.devices![device.deviceId]! <= 4)
  await guess('203.0.113.1', { now: NOW + 2 * WINDOW })
  const later = await tried({ now: NOW + 2 * WINDOW }, n => `198.51.100.${n}`)
  t.equal(later, 4, 'where one was counted it is exact')
  t.strictSame(await failed(), { since: NOW + 2 * WINDOW, known: 0, stranger: 5 }, user.id)
})

t.test('right passwords given all at once are all right, also where something was counted', async t => {
  const { guess, failed, device } = await open(t, { ...settings, placeMax: 8, accountMax: 8 })
  await guess('198.51.100.1')
  await guess('198.51.100.1', { devices: [device] })
  for (const devices of [[], [device]]) {
    const answers = await Promise.all(Array.from({ length: 6 }, async () => await guess('198.51.100.1', { ...right, devices })))
    t.strictSame(answers, Array<string>(6).fill('right'))
  }
  t.strictSame(await failed(), { since: NOW, known: 0, stranger: 1, devices: { [device.deviceId]: 1 } })
})

t.test('a guess that was taken and not decided is given back', async t => {
  const { store, user, failed } = await open(t)
  await store.takeGuess({ userId: user.id, count: { by: 'known' }, max: 1, maxDevices: 1, now: NOW, window: WINDOW })
  const limits = new GuessLimits(settings, store)
  const fresh = (await store.findUser(user.id))!
  for (let n = 0; n < 10; n++) await t.rejects(limits.check({ email: user.email, user: fresh, places: [{ id: HOME, by: 'known' }] }, NOW, async () => { throw new AuthError('busy') }), { code: 'busy' })
  t.strictSame(await failed(), { since: NOW, known: 1, stranger: 0 })
  const nobodys: Guess = { email: NOBODY, user: undefined, places: [{ id: HOME, by: 'stranger' }] }
  t.equal(await limits.check(nobodys, NOW, async () => false), 'wrong')
  for (let n = 0; n < 10; n++) await t.rejects(limits.check(nobodys, NOW, async () => { throw new AuthError('busy') }), { code: 'busy' })
})

t.test('failures that are tried one after the other never put off the end of their window', async t => {
  const { guess, failed } = await open(t)
  for (let n = 0; n < 100; n++) await guess(`198.51.100.${n}`, { now: NOW + n * WINDOW / 100 })
  t.strictSame(await failed(), { since: NOW, known: 0, stranger: 5 })
  t.equal(await guess('198.51.100.9', { ...right, now: NOW + WINDOW }), 'right')
})

t.test('a right password takes back what its own place got wrong, and nothing else', async t => {
  const { guess, accounts, failed } = await open(t)
  await accounts.register({ email: 'eve@example.com', password: PASSWORD, name: null }, from('198.51.100.1'), NOW)
  await guess('198.51.100.1')
  await guess('198.51.100.1', { ...right, email: 'eve@example.com' })
  await guess(HOME, right)
  t.strictSame([await guess('198.51.100.1'), await guess('198.51.100.1')], ['invalid_credentials', 'rate_limited'], 'not by another account, nor from another place')
  for (let n = 0; n < 2; n++) t.strictSame([await guess(HOME), await guess(HOME, right)], ['invalid_credentials', 'right'])
  t.strictSame(await failed(), { since: NOW, known: 2, stranger: 2 })
  for (let n = 0; n < 2; n++) t.strictSame([await guess(HOME), await guess(HOME, right)], ['invalid_credentials', 'right'])
  t.strictSame([await guess(HOME), await guess(HOME)], ['invalid_credentials', 'rate_limited'], 'who sits beside the owner has no more than the account has, however often the owner logs in')
})

t.test('the current password cannot be guessed by whoever has an access token: the family that guesses is closed', async t => {
  const { accounts, tokens, accessToken, guess, held, failed, outcome } = await open(t)
  const change = async (current: string) => await outcome(tokens.identify(accessToken, NOW).then(async caller => await accounts.changePassword(caller, current, NEW_PASSWORD, from('198.51.100.1'), NOW)))
  t.strictSame([await change('wrong'), await change('wrong'), await change(PASSWORD)], ['wrong_password', 'wrong_password', 'invalid_token'])
  t.strictSame(await failed(), { since: NOW, known: 0, stranger: 0, devices: { [held.familyId]: 2 } })
  t.equal(await guess(HOME, { ...right, cookie: held }), 'right', 'its owner logs in again')
})

t.test('guesses at log-in and at the change of a password are one count', async t => {
  const { accounts, tokens, accessToken, guess, held } = await open(t)
  const caller = await tokens.identify(accessToken, NOW)
  for (let n = 0; n < 2; n++) await guess('203.0.113.1', { cookie: held })
  await t.rejects(accounts.changePassword(caller, PASSWORD, NEW_PASSWORD, from(HOME), NOW), { code: 'rate_limited', retryAfter: 900 })
  t.equal((await tokens.identify(accessToken, NOW)).familyId, caller.familyId, 'a person who mistypes at log-in loses no device by it')
})

t.test('a family that guesses all at once has no more guesses', async t => {
  const { accounts, tokens, accessToken, outcome } = await open(t)
  const caller = await tokens.identify(accessToken, NOW)
  const codes = await Promise.all(Array.from({ length: 20 }, async () => await outcome(accounts.changePassword(caller, 'wrong', NEW_PASSWORD, from(HOME), NOW))))
  t.strictSame(codes.sort(), [...Array<string>(18).fill('rate_limited'), 'wrong_password', 'wrong_password'])
  await t.rejects(tokens.identify(accessToken, NOW), { code: 'invalid_token' })
})

t.test('without limits nothing is counted and no family is closed', async t => {
  const { accounts, tokens, store, user, login } = await openServices(t)
  const caller = await tokens.identify((await login()).accessToken, NOW)
  for (let n = 0; n < 12; n++) {
    await t.rejects(accounts.authenticate(user.email, 'wrong', from(HOME), NOW), { code: 'invalid_credentials' })
    await t.rejects(accounts.changePassword(caller, 'wrong', NEW_PASSWORD, from(HOME), NOW), { code: 'wrong_password' })
  }
  const fresh = (await store.findUser(user.id))!
  t.strictSame([fresh.failed, fresh.families.length], [undefined, 1])
})

t.test('a refusal is new once a window and key', async t => {
  const { accounts, user, guess } = await open(t)
  const isRepeated = async (now: number, ip = HOME) => await accounts.authenticate(user.email, PASSWORD, from(ip), now).then(() => undefined, (error: AuthError) => error.isRepeated)
  for (const ip of [HOME, '198.51.100.1']) for (let n = 0; n < 2; n++) await guess(ip)
  t.strictSame([await isRepeated(NOW), await isRepeated(NOW + 1), await isRepeated(NOW, '198.51.100.1')], [false, true, false])
  for (let n = 0; n < 2; n++) await guess(HOME, { now: NOW + WINDOW })
  t.strictSame([await isRepeated(NOW + WINDOW), await isRepeated(NOW + WINDOW)], [false, true])
})
