// What becomes of accounts: hashes renewed, passwords changed, and writers that come first.
import t from 'tap'
import { AuthenticationRequest } from '../../src/http/requests.js'
import { Hasher } from '../../src/hashing/hasher.js'
import { DEVICE, NOW, openServices, overtake, PASSWORD, REQUESTER } from './parts.js'

const NEW_PASSWORD = 'another horse, another battery'
const live = { createdAfter: 0, advancedAfter: 0 }

t.test('a hash of another cost is renewed at log-in', async t => {
  const { store, accounts, tokens, user } = await openServices(t, 5)
  const cheap = new Hasher({ cost: 4, threads: 1, queue: 10 })
  t.teardown(async () => { await cheap.close() })
  const hash = await cheap.hash(PASSWORD, REQUESTER)
  const { families } = await store.findUser(user.id) ?? {}
  t.strictSame(families, [])
  const family = { id: 'family', generation: 0, createdAt: NOW, advancedAt: NOW, ...DEVICE }
  await store.openFamily({ userId: user.id, verifiedHash: user.passwordHash, passwordHash: hash, family, live: { createdAfter: 0, advancedAfter: 0 }, limit: 3, policy: 'evict' })
  await new AuthenticationRequest({ email: user.email, password: PASSWORD }, DEVICE).authenticate(accounts, tokens, NOW)
  const renewed = (await store.findUser(user.id))!.passwordHash
  t.match(renewed, /^\$2b\$05\$/)
  await new AuthenticationRequest({ email: user.email, password: PASSWORD }, DEVICE).authenticate(accounts, tokens, NOW)
  t.equal((await store.findUser(user.id))!.passwordHash, renewed)
})

t.test('a log-in that a password change overtakes is proved against the new password', async t => {
  const { store, accounts, tokens, user, hasher, login } = await openServices(t)
  await login()
  const [family] = (await store.findUser(user.id))!.families
  const change = async (password: string, from = user.passwordHash) => {
    await store.changePassword({ userId: user.id, verifiedHash: from, passwordHash: await hasher.hash(password, REQUESTER), callerId: family!.id, live, family: family! })
  }
  const authenticate = async () => await new AuthenticationRequest({ email: user.email, password: PASSWORD }, DEVICE).authenticate(accounts, tokens, NOW)
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
    await store.changePassword({ userId: user.id, verifiedHash: passwordHash, passwordHash: await hasher.hash(password, REQUESTER), callerId: family!.id, live, family: family! })
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
  overtake(store, 'changePassword', async () => { await store.closeAllFamilies(user.id, { createdAfter: 0, advancedAfter: 0 }) })
  await t.rejects(accounts.changePassword(caller, PASSWORD, NEW_PASSWORD, DEVICE, NOW), { code: 'invalid_token' })
  t.equal((await accounts.authenticate(user.email, PASSWORD, DEVICE, NOW)).id, user.id)
})

t.test('64 racing registrations of one address make one account', async t => {
  const { accounts } = await openServices(t)
  const outcomes = await Promise.allSettled(Array.from({ length: 64 }, async () => await accounts.register({ email: 'eve@example.com', password: PASSWORD, name: null }, DEVICE, NOW)))
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  t.equal(outcomes.filter(outcome => outcome.status === 'rejected' && (outcome.reason as { code: string }).code === 'email_taken').length, 63)
})
