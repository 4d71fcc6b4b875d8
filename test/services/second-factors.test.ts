// Second factors where others write at the same time, where secrets come and go, and where many guess.
import { randomBytes, randomUUID, createSecretKey } from 'node:crypto'
import t, { type Test } from 'tap'
import { changed } from '../../src/core/factors.js'
import { newSeed, stepAt, codeAt } from '../../src/core/totp.js'
import { AuthError } from '../../src/errors.js'
import { CodeGuesses } from '../../src/services/code-guesses.js'
import { openSecondFactors } from '../../src/services/open-second-factors.js'
import type { Addition } from '../../src/services/second-factors.js'
import { Seeds } from '../../src/services/seeds.js'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import { seedOf } from '../second-factors.js'
import { DEVICE, ISSUER, LIMITS, NOW, openServices, overtake, RETENTION } from './parts.js'

const secretOf = (id: string) => ({ id, secret: createSecretKey(randomBytes(32)) })
const ADDITION: Addition = { method: 'totp', amr: ['pwd', 'otp', 'mfa'], change: { totp: { seed: 'sealed', addedAt: NOW, lastStep: 0 } } }

/** Services with a user who has an app, and what the app shows. */
async function openWithApp (t: Test) {
  const services = await openServices(t, 4, { window: 900_000, placeMax: 3, accountMax: 10 })
  const { store, keyRing, user } = services
  const seed = newSeed()
  const seeds = new Seeds({ current: () => keyRing.sealingSecret, find: keyRing.findSealingSecret })
  await store.changeFactors({ userId: user.id, from: 0, factors: changed(undefined, { totp: { seed: (await seeds.seal(user.id, seed))!, addedAt: NOW, lastStep: 0 }, recoveryCodes: ['left'] }) })
  const stands = async () => (await store.findUser(user.id))!
  const bump = async () => {
    const { factors } = await stands()
    await store.changeFactors({ userId: user.id, from: factors!.version, factors: changed(factors, {}) })
  }
  const ticket = async (now = NOW) => await services.stepUps.assertEnough(await stands(), user.passwordHash, [], now).then(() => '', (error: AuthError) => error.members!.ticket)
  const complete = async (text: string, code: string, now = NOW) => await services.stepUps.complete(text, { code }, DEVICE, now, {})
  return { ...services, seeds, seed, stands, bump, ticket, complete, show: (now = NOW) => codeAt(seed, stepAt(now)) }
}

t.test('a seed is sealed for one user, under the secret of today, and opened under those of before', async t => {
  const [old, young] = [secretOf('0123456789abcdef'), secretOf('fedcba9876543210')]
  let current: typeof old | undefined = old
  const seeds = new Seeds({ current: () => current, find: id => [old, young].find(secret => secret.id === id)?.secret })
  const [userId, seed] = [randomUUID(), newSeed()]
  const sealed = (await seeds.seal(userId, seed))!
  t.notMatch(sealed, seed.toString('base64url'))
  t.strictSame([await seeds.open(userId, sealed), await seeds.open(randomUUID(), sealed), await seeds.open(userId, 'x')], [seed, undefined, undefined])
  current = young
  t.ok(seeds.isReady)
  t.strictSame(await seeds.open(userId, sealed), seed)
  t.match(Buffer.from((await seeds.seal(userId, seed))!.split('.')[0]!, 'base64url').toString(), `"kid":"${young.id}"`)
  current = undefined
  t.strictSame([seeds.isReady, await seeds.seal(userId, seed), await seeds.open(userId, sealed)], [false, undefined, seed])
})

t.test('a code that is used seals the seed anew, and leaves it as it is where there is no secret to do that', async t => {
  const { stands, ticket, complete, show, keyRing } = await openWithApp(t)
  const before = (await stands()).factors!.totp!.seed
  await complete(await ticket(), show())
  const after = (await stands()).factors!.totp!
  t.not(after.seed, before)
  t.equal(after.lastStep, stepAt(NOW))
  Object.defineProperty(keyRing, 'sealingSecret', { value: undefined })
  const later = NOW + 30_000
  await complete(await ticket(later), show(later), later)
  t.equal((await stands()).factors!.totp!.seed, after.seed)
})

t.test('without a secret to seal it with no app is added, whenever that is found', async t => {
  const { secondFactors, keyRing, store, user, login } = await openServices(t)
  await login()
  const [family] = (await store.findUser(user.id))!.families
  const caller = { user: (await store.findUser(user.id))!, familyId: family!.id }
  const { secret, ticket } = await secondFactors.offerTotp(caller, {}, DEVICE, NOW)
  Object.defineProperty(keyRing, 'sealingSecret', { value: undefined })
  await t.rejects(secondFactors.offerTotp(caller, {}, DEVICE, NOW), { code: 'not_supported', message: /^No authenticator app can be added/ })
  await t.rejects(secondFactors.confirmTotp(caller, { ticket, code: codeAt(seedOf(secret), stepAt(NOW)) }, DEVICE, NOW), { code: 'not_supported' })
})

t.test('a log-in that another change of the factors overtakes is proved again, and not without end', async t => {
  const { bump, complete, show, store, ticket, stands } = await openWithApp(t)
  overtake(store, 'openFamily', bump)
  await complete(await ticket(), show())
  const later = NOW + 30_000
  const text = await ticket(later)
  const open = store.openFamily.bind(store)
  Object.defineProperty(store, 'openFamily', { configurable: true, value: async () => 'stale' })
  await t.rejects(complete(text, show(later), later), { code: 'busy' })
  Object.defineProperty(store, 'openFamily', { configurable: true, value: open })
  await complete(text, show(later), later)
  t.equal((await stands()).families.length, 2)
})

t.test('a log-in by the password alone that a first factor overtakes opens nothing', async t => {
  const { store, tokens, user } = await openServices(t)
  const before = (await store.findUser(user.id))!
  await store.changeFactors({ userId: user.id, from: 0, factors: changed(undefined, ADDITION.change) })
  t.equal(await tokens.open(before, before.passwordHash, DEVICE, NOW), undefined)
})

t.test('a factor that another change overtakes is not added; a removal and new recovery codes are made again', async t => {
  const { bump, secondFactors, stands, store, user, complete, ticket, show } = await openWithApp(t)
  await complete(await ticket(), show())
  const { families } = await stands()
  const caller = async () => ({ user: await stands(), familyId: families[0]!.id })
  overtake(store, 'changeFactors', bump)
  await t.rejects(secondFactors.add(await caller(), ADDITION, DEVICE, NOW), { code: 'invalid_request', errors: [{ field: 'ticket' }] })
  overtake(store, 'changeFactors', bump)
  t.equal((await secondFactors.renewRecoveryCodes(await caller(), {}, DEVICE, NOW)).length, 10)
  const change = store.changeFactors.bind(store)
  Object.defineProperty(store, 'changeFactors', { configurable: true, value: async () => false })
  await t.rejects(secondFactors.removeTotp(await caller(), {}, DEVICE, NOW), { code: 'busy' })
  Object.defineProperty(store, 'changeFactors', { configurable: true, value: change })
  const stale = await caller()
  await store.closeFamily({ userId: user.id, familyId: stale.familyId, closing: { at: NOW, countsAfter: 0 } })
  await t.rejects(secondFactors.removeTotp(stale, {}, DEVICE, NOW), { code: 'invalid_token' })
  await t.rejects(secondFactors.removeTotp({ ...stale, user: { ...stale.user, factors: { ...stale.user.factors!, version: 99 } } }, {}, DEVICE, NOW), { code: 'invalid_token' })
})

t.test('a log-in that waits for a first factor is over where another change came first', async t => {
  const services = await openServices(t)
  const { store, user } = services
  const { stepUps, secondFactors } = openSecondFactors({ ...services, issuer: ISSUER, origins: [], isRequired: true, families: LIMITS, closingRetention: RETENTION, isLimited: false, record: () => {} })
  const ticket = await stepUps.assertEnough((await store.findUser(user.id))!, 'another hash', [], NOW).then(() => '', (error: AuthError) => error.members!.ticket)
  const enrolment = await stepUps.enrolment(ticket, NOW)
  overtake(store, 'openFamily', async () => await store.setRoles({ userId: user.id, roles: ['admin'] }))
  await t.rejects(secondFactors.add(enrolment, ADDITION, DEVICE, NOW), { code: 'invalid_ticket' })
  t.equal((await store.findUser(user.id))!.factors, undefined)
  const { tokens } = await secondFactors.add(await stepUps.enrolment(ticket, NOW), ADDITION, DEVICE, NOW)
  t.ok(tokens)
  t.equal((await store.findUser(user.id))!.passwordHash, 'another hash', 'one of today\'s cost is kept')
  await t.rejects(stepUps.enrolment(ticket, NOW), { code: 'invalid_ticket' })
})

t.test('a store that is away while codes are guessed is told as that', async t => {
  const { store, events, user } = await openServices(t)
  const guesses = new CodeGuesses({ store, isLimited: true, record: event => { events.push(event) } })
  await t.rejects(guesses.check(user, [{ id: 'network', by: 'stranger' }], DEVICE, NOW, async () => { throw new AuthError('unavailable') }), { code: 'unavailable' })
})

t.test('of 2,000 codes that are guessed at four servers at once none passes, and all but ten, and one more a server, are refused unseen', async t => {
  const { folder, keyRing, ticket, user } = await openWithApp(t)
  const seen: string[] = []
  const stores = Array.from({ length: 4 }, () => new SqliteStore(`${folder}/signet.db`))
  t.teardown(async () => { await Promise.all(stores.map(async store => { await store.close() })) })
  const servers = stores.map(store => openSecondFactors({ store, keyRing, accounts: undefined as never, tokens: { open: async () => { throw new Error('passed') } } as never, issuer: ISSUER, origins: [], isRequired: false, families: LIMITS, closingRetention: RETENTION, isLimited: true, record: () => {} }))
  const text = await ticket()
  const counts: Record<string, number> = {}
  for (let batch = 0; batch < 2; batch++) {
    await Promise.all(Array.from({ length: 1000 }, async (_, at) => {
      const guess = batch * 1000 + at
      // None that is right now.
      const code = String(900_000 + guess)
      const outcome = await servers[guess % 4]!.stepUps.complete(text, { code }, { ip: `198.51.${guess % 200}.${guess % 250}`, userAgent: null }, NOW, {}).then(() => 'passed', (error: AuthError) => error.code)
      counts[outcome] = (counts[outcome] ?? 0) + 1
      if (outcome === 'invalid_second_factor') seen.push(code)
    }))
  }
  t.strictSame(Object.keys(counts).sort(), ['invalid_second_factor', 'rate_limited'])
  t.ok(seen.length >= 10 && seen.length <= 14, `${seen.length} were looked at`)
  t.equal(counts['rate_limited'], 2000 - seen.length)
  t.ok((await stores[0]!.findUser(user.id))!.failedCodes!.stranger <= 14)
})
