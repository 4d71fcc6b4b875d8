// What becomes of accounts: hashes renewed, passwords changed, and writers that come first.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { AuthenticationRequest } from '../../src/http/account/requests.js'
import { Hasher, type Requester } from '../../src/hashing/hasher.js'
import { claimsOf } from './oauth-parts.js'
import { DEVICE, LIMITS, NOW, openServices, overtake, PASSWORD, REQUESTER } from './parts.js'

const NEW_PASSWORD = 'another horse, another battery'
const live = { createdAfter: 0, advancedAfter: 0 }
const closing = { at: NOW, countsAfter: 0 }

t.test('a hash of another cost is renewed at log-in', async t => {
  const { store, accounts, tokens, stepUps, user } = await openServices(t, 5)
  const cheap = new Hasher({ cost: 4, threads: 1, queue: 10 })
  t.teardown(async () => { await cheap.close() })
  const hash = await cheap.hash(PASSWORD, REQUESTER)
  const { families } = await store.findUser(user.id) ?? {}
  t.strictSame(families, [])
  const family = { id: 'family', generation: 0, createdAt: NOW, advancedAt: NOW, ...DEVICE }
  await store.openFamily({ userId: user.id, verifiedHash: user.passwordHash, passwordHash: hash, roles: [], family, live: { createdAfter: 0, advancedAfter: 0 }, limit: 3, policy: 'evict', closing })
  await new AuthenticationRequest({ email: user.email, password: PASSWORD }, { device: DEVICE }).authenticate(accounts, tokens, stepUps, NOW)
  const renewed = (await store.findUser(user.id))!.passwordHash
  t.match(renewed, /^\$2b\$05\$/)
  await new AuthenticationRequest({ email: user.email, password: PASSWORD }, { device: DEVICE }).authenticate(accounts, tokens, stepUps, NOW)
  t.equal((await store.findUser(user.id))!.passwordHash, renewed)
})

t.test('a password is good for as long as nobody changes it', async t => {
  const { accounts, user } = await openServices(t)
  const years = 10 * 365 * 86_400_000
  t.equal((await accounts.authenticate(user.email, PASSWORD, DEVICE, NOW + years)).id, user.id)
})

t.test('in the queue the same are known as to the limits: whoever comes from the /64 of a log-in, or holds one, or has proved the password', async t => {
  const { store, accounts, hasher, tokens, user } = await openServices(t)
  const known: boolean[] = []
  for (const name of ['verify', 'hash'] as const) {
    const method = hasher[name].bind(hasher) as (...args: unknown[]) => Promise<never>
    t.teardown(() => Reflect.deleteProperty(hasher, name))
    Object.defineProperty(hasher, name, { configurable: true, value: async (...args: [...unknown[], Requester]) => { known.push((args.at(-1) as Requester).isKnown); return await method(...args) } })
  }
  const from = (ip: string) => ({ ip, userAgent: null })
  const { refreshToken } = (await tokens.open(user, user.passwordHash, from('2001:db8:77:1::aaaa'), NOW))!
  const held = tokens.read(refreshToken)!
  const { email } = user
  await accounts.authenticate(email, PASSWORD, from('2001:db8:77:1::bbbb'), NOW)
  await accounts.authenticate(email, PASSWORD, from('192.0.2.1'), NOW, { family: held })
  await accounts.authenticate(email, PASSWORD, from('192.0.2.1'), NOW)
  await accounts.authenticate(email, PASSWORD, from('2001:db8:77:1::aaaa'), NOW + LIMITS.absolute)
  t.strictSame(known.splice(0), [true, true, false, false])
  await accounts.changePassword({ user: (await store.findUser(user.id))!, familyId: held.familyId }, PASSWORD, NEW_PASSWORD, from('192.0.2.1'), NOW)
  t.strictSame(known.splice(0), [true, true], 'a change of the password')
  await accounts.register({ email: 'eve@example.com', password: PASSWORD, name: null }, from('2001:db8:77:1::aaaa'), NOW)
  t.strictSame(known, [false])
})

t.test('a log-in that a password change overtakes is proved against the new password', async t => {
  const { store, accounts, tokens, stepUps, user, hasher, login } = await openServices(t)
  await login()
  const [family] = (await store.findUser(user.id))!.families
  const change = async (password: string, from = user.passwordHash) => {
    await store.changePassword({ userId: user.id, verifiedHash: from, passwordHash: await hasher.hash(password, REQUESTER), callerId: family!.id, live, family: family!, closing })
  }
  const authenticate = async () => await new AuthenticationRequest({ email: user.email, password: PASSWORD }, { device: DEVICE }).authenticate(accounts, tokens, stepUps, NOW)
  overtake(store, 'openFamily', async () => { await change(PASSWORD) })
  t.match(await authenticate(), { token_type: 'Bearer' }, 'the same password under another hash')
  const { passwordHash } = (await store.findUser(user.id))!
  overtake(store, 'openFamily', async () => { await change(NEW_PASSWORD, passwordHash) })
  await t.rejects(authenticate(), { code: 'invalid_credentials' })
  t.equal((await store.findUser(user.id))!.families.length, 1)
})

t.test('of two password changes the second is proved against the first', async t => {
  const { store, accounts, tokens, user, hasher, login } = await openServices(t)
  const caller = await tokens.identify((await login()).accessToken, NOW)
  const change = async (password: string) => {
    const { passwordHash, families: [family] } = (await store.findUser(user.id))!
    await store.changePassword({ userId: user.id, verifiedHash: passwordHash, passwordHash: await hasher.hash(password, REQUESTER), callerId: family!.id, live, family: family!, closing })
  }
  overtake(store, 'changePassword', async () => { await change(PASSWORD) })
  const family = await accounts.changePassword(caller, PASSWORD, NEW_PASSWORD, DEVICE, NOW)
  t.strictSame((await store.findUser(user.id))!.families, [family])
  t.equal((await accounts.authenticate(user.email, NEW_PASSWORD, DEVICE, NOW)).id, user.id)
  const again = { familyId: family.id, user: (await store.findUser(user.id))! }
  overtake(store, 'changePassword', async () => { await change(PASSWORD) })
  await t.rejects(accounts.changePassword(again, NEW_PASSWORD, 'a third one, of some length', DEVICE, NOW), { code: 'wrong_password' })
  t.equal((await accounts.authenticate(user.email, PASSWORD, DEVICE, NOW)).id, user.id)
})

t.test('a password change from a family that was closed meanwhile changes nothing', async t => {
  const { store, accounts, tokens, user, login } = await openServices(t)
  const caller = await tokens.identify((await login()).accessToken, NOW)
  overtake(store, 'changePassword', async () => { await store.closeAllFamilies({ userId: user.id, live: { createdAfter: 0, advancedAfter: 0 }, closing }) })
  await t.rejects(accounts.changePassword(caller, PASSWORD, NEW_PASSWORD, DEVICE, NOW), { code: 'invalid_token' })
  t.equal((await accounts.authenticate(user.email, PASSWORD, DEVICE, NOW)).id, user.id)
})

t.test('a name changed from a family that was closed meanwhile stays what it was', async t => {
  const { store, accounts, tokens, user, login } = await openServices(t)
  const caller = await tokens.identify((await login()).accessToken, NOW)
  t.match(await accounts.rename(caller, 'Ada', NOW), { id: user.id, name: 'Ada' })
  await store.closeAllFamilies({ userId: user.id, live: { createdAfter: 0, advancedAfter: 0 }, closing })
  await t.rejects(accounts.rename(caller, 'Eve', NOW), { code: 'invalid_token' })
  t.equal((await store.findUser(user.id))!.name, 'Ada')
})

t.test('64 racing registrations of one address make one account', async t => {
  const { accounts } = await openServices(t)
  const outcomes = await Promise.allSettled(Array.from({ length: 64 }, async () => await accounts.register({ email: 'eve@example.com', password: PASSWORD, name: null }, DEVICE, NOW)))
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  t.equal(outcomes.filter(outcome => outcome.status === 'rejected' && (outcome.reason as { code: string }).code === 'email_taken').length, 63)
})

/** An account as it was kept before each address had one spelling. */
async function keepAsBefore ({ store, hasher, tokens }: Awaited<ReturnType<typeof openServices>>, email: string, password: string) {
  const user = { id: randomUUID(), email, name: null, passwordHash: await hasher.hash(password, REQUESTER), createdAt: NOW, families: [], roles: [] }
  t.equal(await store.insertUser(user), 'inserted')
  t.ok(await tokens.open(user, user.passwordHash, DEVICE, NOW))
  return user.id
}

t.test('an account that was made under another spelling is logged in to by that, and by the one of today where nobody else has it', async t => {
  const services = await openServices(t)
  const { accounts } = services
  for (const [old, typed] of [
    ['one@münchen.example', ['one@münchen.example', 'One@München.example', 'one@xn--mnchen-3ya.example']],
    ['two@ｅｘａｍｐｌｅ.com', ['two@ｅｘａｍｐｌｅ.com']],
    ['j\u030C@example.com', ['J\u030C@example.com']],
    ['a\u3164@example.com', ['a\u3164@example.com', 'A\u3164@Example.com']],
    ['a@1.2.3.44', ['a@1.2.3.44']],
  ] as const) {
    const id = await keepAsBefore(services, old, PASSWORD)
    for (const email of typed) t.equal((await accounts.authenticate(email, PASSWORD, DEVICE, NOW)).id, id, email)
    await t.rejects(accounts.authenticate(old, 'wrong', DEVICE, NOW), { code: 'invalid_credentials' })
  }
  for (const email of ['one@münchen.example', 'one@xn--mnchen-3ya.example', 'two@ｅｘａｍｐｌｅ.com', 'J\u030C@example.com']) {
    await t.rejects(accounts.register({ email, password: PASSWORD, name: null }, DEVICE, NOW), { code: 'email_taken' }, email)
  }
})

t.test('two accounts that turn out to have one address stay two, each under the spelling that it was made with', async t => {
  const services = await openServices(t)
  const { accounts } = services
  for (const email of ['one@münchen.example', 'one@xn--mnchen-3ya.example']) {
    const id = await keepAsBefore(services, email, `${PASSWORD} of ${email}`)
    t.equal((await accounts.authenticate(email, `${PASSWORD} of ${email}`, DEVICE, NOW)).id, id)
  }
})

t.test('a deletion that another write overtakes is proved against what stands, and from a family that lives', async t => {
  const { store, accounts, tokens, user, hasher, login, events } = await openServices(t)
  const caller = async () => await tokens.identify((await login()).accessToken, NOW)
  const change = async (password: string) => {
    const { passwordHash, families } = (await store.findUser(user.id))!
    await store.openFamily({ userId: user.id, verifiedHash: passwordHash, passwordHash: await hasher.hash(password, REQUESTER), roles: [], family: { id: randomUUID(), generation: 0, createdAt: NOW, advancedAt: NOW, ...DEVICE }, live, limit: families.length + 1, policy: 'evict', closing })
  }
  const first = await caller()
  overtake(store, 'deleteUser', async () => { await change(NEW_PASSWORD) })
  await t.rejects(accounts.deleteAccount(first, PASSWORD, DEVICE, NOW), { code: 'wrong_password' })
  overtake(store, 'deleteUser', async () => { await store.closeAllFamilies({ userId: user.id, live, closing }) })
  await t.rejects(accounts.deleteAccount({ ...first, user: (await store.findUser(user.id))! }, NEW_PASSWORD, DEVICE, NOW), { code: 'invalid_token' })
  const second = await caller()
  overtake(store, 'deleteUser', async () => { await change(NEW_PASSWORD) })
  // What fails here is done when the last of the user is forgotten.
  overtake(store, 'dropEventsOf', async () => { throw new Error('the store is away') })
  await accounts.deleteAccount(second, NEW_PASSWORD, DEVICE, NOW)
  t.equal(await store.findUser(user.id), undefined)
  t.strictSame(events.at(-1), { kind: 'user.deleted', at: NOW, userId: user.id })
})

t.test('a log-in that a disabling or a change of roles overtakes opens nothing of before', async t => {
  const { store, accounts, tokens, stepUps, user } = await openServices(t)
  const authenticate = async () => await new AuthenticationRequest({ email: user.email, password: PASSWORD }, { device: DEVICE }).authenticate(accounts, tokens, stepUps, NOW)
  overtake(store, 'openFamily', async () => await store.setRoles({ userId: user.id, roles: ['admin'], closes: { live, closing } }))
  t.strictSame(claimsOf((await authenticate()).access_token)['roles'], ['admin'])
  overtake(store, 'openFamily', async () => await store.disableUser({ userId: user.id, live, closing }))
  await t.rejects(authenticate(), { code: 'invalid_credentials' })
  t.strictSame((await store.findUser(user.id))?.families, [])
  await store.enableUser(user.id)
  overtake(store, 'openFamily', async () => await store.deleteUser({ userId: user.id, closing }))
  await t.rejects(authenticate(), { code: 'invalid_credentials' })
})
