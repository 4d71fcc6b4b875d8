// Who counts as just proved: a log-in of the last ten minutes, or a password; with a second factor, one of those with it.
import t, { type Test } from 'tap'
import { codeAt, newSeed, stepAt } from '../../src/core/totp.js'
import { changed, type FactorChange } from '../../src/core/factors.js'
import { digestOfRecoveryCode } from '../../src/core/recovery-codes.js'
import { Seeds } from '../../src/services/seeds.js'
import { newFamily, newUser } from '../store/store-contract.js'
import { DEVICE, NOW, openServices, PASSWORD } from './parts.js'

const FRESH = 600_000
const RECOVERY_CODE = '0000-1111-2222-3333-4444-5555'

/** A caller whose log-in was at `NOW`, by these methods, with these factors. */
async function openCaller (t: Test, amr?: string[], change?: FactorChange) {
  const services = await openServices(t, 4, { window: 900_000, placeMax: 3, accountMax: 10 })
  const family = { ...newFamily(NOW), ...(amr && { amr }) }
  const user = { ...newUser(), passwordHash: services.user.passwordHash, families: [newFamily(NOW), family], ...(change && { factors: changed(undefined, change) }) }
  await services.store.insertUser(user)
  const caller = { user, familyId: family.id }
  const assert = async (proof: { password?: string, code?: string } = {}, now = NOW) => await services.fresh.assert({ ...caller, user: (await services.store.findUser(user.id))! }, proof, DEVICE, now)
  return { ...services, user, caller, assert, family }
}

async function appOf (keyRing: ConstructorParameters<typeof Seeds>[0], userId: string) {
  const seed = newSeed()
  return { seed, totp: { seed: (await new Seeds(keyRing).seal(userId, seed))!, addedAt: NOW, lastStep: 0 } }
}

t.test('a log-in is a proof for ten minutes, and a password always', async t => {
  const { assert, caller, user } = await openCaller(t)
  t.strictSame(await assert({}, NOW + FRESH - 1), { ...caller, user })
  await t.rejects(assert({}, NOW + FRESH), { code: 'fresh_log_in_needed', status: 403 })
  t.strictSame(await assert({ password: PASSWORD }, NOW + FRESH), { ...caller, user })
  await t.rejects(assert({ password: 'another' }), { code: 'wrong_password' })
})

t.test('with a second factor a log-in is one that took it, and a password one with a code beside, which is used up', async t => {
  const { assert, events, keyRing, store, user } = await openCaller(t)
  const { seed, totp } = await appOf({ current: () => keyRing.sealingSecret, find: keyRing.findSealingSecret }, user.id)
  await store.changeFactors({ userId: user.id, from: 0, factors: changed(undefined, { totp, recoveryCodes: [digestOfRecoveryCode(RECOVERY_CODE)] }) })
  const code = codeAt(seed, stepAt(NOW))
  for (const proof of [{}, { code }, { password: PASSWORD }]) await t.rejects(assert(proof), { code: 'fresh_log_in_needed' }, JSON.stringify(Object.keys(proof)))
  await t.rejects(assert({ password: 'another', code }), { code: 'wrong_password' })
  const proved = await assert({ password: PASSWORD, code })
  t.equal(proved.user.factors!.totp!.lastStep, stepAt(NOW))
  t.strictSame(proved.user.factors, (await store.findUser(user.id))!.factors)
  events.splice(0)
  await t.rejects(assert({ password: PASSWORD, code }), { code: 'wrong_code', status: 403 }, 'again')
  const used = await assert({ password: PASSWORD, code: RECOVERY_CODE })
  t.strictSame(used.user.factors!.recoveryCodes, [])
  await t.rejects(assert({ password: PASSWORD, code: RECOVERY_CODE }), { code: 'wrong_code' })
  t.match(events, [{ kind: 'second_factor.failed', details: { method: 'totp' } }, { kind: 'recovery_codes.used', details: { count: 0 } }, { kind: 'second_factor.failed', details: { method: 'recovery_code' } }])
})

t.test('a log-in with a second factor is a proof for ten minutes', async t => {
  const { assert, user } = await openCaller(t, ['pwd', 'otp', 'mfa'], { totp: { seed: 'sealed', addedAt: NOW, lastStep: 0 } })
  t.strictSame((await assert({}, NOW + FRESH - 1)).user, user)
  await t.rejects(assert({}, NOW + FRESH), { code: 'fresh_log_in_needed' })
})

t.test('a device has ten wrong codes a day, and a caller whose family was closed meanwhile proves nothing', async t => {
  const { assert, keyRing, store, user, family, caller, fresh } = await openCaller(t)
  const { seed, totp } = await appOf({ current: () => keyRing.sealingSecret, find: keyRing.findSealingSecret }, user.id)
  await store.changeFactors({ userId: user.id, from: 0, factors: changed(undefined, { totp }) })
  for (let guess = 0; guess < 10; guess++) await t.rejects(assert({ password: PASSWORD, code: '000000' }), { code: 'wrong_code' })
  const right = { password: PASSWORD, code: codeAt(seed, stepAt(NOW)) }
  await t.rejects(assert(right), { code: 'rate_limited', retryAfter: 86_400 })
  const tomorrow = NOW + 86_400_000
  const stands = (await store.findUser(user.id))!
  await store.closeFamily({ userId: user.id, familyId: family.id, closing: { at: NOW, countsAfter: 0 } })
  await t.rejects(fresh.assert({ ...caller, user: stands }, { ...right, code: codeAt(seed, stepAt(tomorrow)) }, DEVICE, tomorrow), { code: 'wrong_code' })
})
