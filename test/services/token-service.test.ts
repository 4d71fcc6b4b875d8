// What becomes of tokens: refreshing, reuse, lost writes, races, and access tokens of closed families.
import t from 'tap'
import { liveAfter } from '../../src/core/families.js'
import { readRefreshToken, writeRefreshToken } from '../../src/core/refresh-token.js'
import { DEVICE, NOW, openServices, overtake } from './parts.js'

const limits = { idle: 1_000_000, absolute: 5_000_000, grace: 30_000 }

t.test('64 racing refreshes of one token all get the same successor', async t => {
  const { tokens, login } = await openServices(t)
  const { refreshToken } = await login()
  const issued = await Promise.all(Array.from({ length: 64 }, async () => await tokens.refresh(refreshToken, DEVICE, NOW + 1)))
  t.equal(new Set(issued.map(pair => pair.refreshToken)).size, 1)
  t.equal(new Set(issued.map(pair => pair.accessToken)).size, 64)
})

t.test('a used refresh token beyond the grace closes its family, is recorded, and takes the successor with it', async t => {
  const { tokens, login, keyRing, signs, user } = await openServices(t)
  const first = await login()
  const second = await tokens.refresh(first.refreshToken, DEVICE, NOW + 1)
  t.equal((await tokens.refresh(first.refreshToken, DEVICE, NOW + 30_000)).refreshToken, second.refreshToken, 'within the grace')
  t.strictSame(signs, [])
  await t.rejects(tokens.refresh(first.refreshToken, DEVICE, NOW + 30_001), { code: 'invalid_grant' })
  const { familyId } = readRefreshToken(first.refreshToken, keyRing.findSecret)!
  t.strictSame(signs, [{ kind: 'refresh.reused', at: NOW + 30_001, userId: user.id, clientId: undefined, familyId, ...DEVICE, details: { generation: 0 } }])
  await t.rejects(tokens.refresh(second.refreshToken, DEVICE, NOW + 30_002), { code: 'invalid_grant' })
  await t.rejects(tokens.identify(second.accessToken, NOW + 30_002), { code: 'invalid_token' })
  t.equal(signs.length, 1)
})

t.test('a refresh whose lazy write was lost moves the family forward', async t => {
  const { tokens, login, keyRing } = await openServices(t)
  const { refreshToken } = await login()
  const claims = readRefreshToken(refreshToken, keyRing.findSecret)!
  const ahead = writeRefreshToken({ ...claims, generation: 3 }, keyRing.refreshSecret)
  const issued = await Promise.all([tokens.refresh(ahead, DEVICE, NOW), tokens.refresh(ahead, DEVICE, NOW)])
  t.equal(issued[0].refreshToken, issued[1].refreshToken)
  t.equal(readRefreshToken(issued[0].refreshToken, keyRing.findSecret)?.generation, 4)
})

t.test('a token ahead of the store is recorded, once, by whoever moves the family on', async t => {
  const { tokens, login, keyRing, signs, user } = await openServices(t)
  const claims = readRefreshToken((await login()).refreshToken, keyRing.findSecret)!
  const ahead = writeRefreshToken({ ...claims, generation: 3 }, keyRing.refreshSecret)
  await Promise.all(Array.from({ length: 8 }, async () => await tokens.refresh(ahead, DEVICE, NOW)))
  t.strictSame(signs, [{ kind: 'refresh.ahead', at: NOW, userId: user.id, clientId: undefined, familyId: claims.familyId, ...DEVICE, details: { generation: 3, stored_generation: 0 } }])
})

t.test('a repeat from another address, or by another user agent, is answered and recorded; from the same it is not', async t => {
  const { tokens, login, keyRing, signs, user } = await openServices(t)
  const phone = { ip: '203.0.113.9', userAgent: 'phone' }
  const { refreshToken } = await login()
  const { familyId } = readRefreshToken(refreshToken, keyRing.findSecret)!
  const next = await tokens.refresh(refreshToken, phone, NOW)
  const repeat = async (device: typeof phone) => (await tokens.refresh(refreshToken, device, NOW + 1)).refreshToken
  t.equal(await repeat(phone), next.refreshToken)
  t.strictSame(signs, [])
  t.equal(await repeat({ ...phone, ip: '198.51.100.7' }), next.refreshToken)
  t.equal(await repeat({ ...phone, userAgent: 'laptop' }), next.refreshToken)
  const event = { kind: 'refresh.repeated_elsewhere', at: NOW + 1, userId: user.id, clientId: undefined, familyId, details: { generation: 0, rotated_from: '203.0.113.9' } }
  t.strictSame(signs, [{ ...event, ...phone, ip: '198.51.100.7' }, { ...event, ...phone, userAgent: 'laptop' }])
})

t.test('three rotations running that were repeated are recorded once, whoever repeats and how often', async t => {
  const { tokens, login, keyRing, signs, user } = await openServices(t)
  let { refreshToken } = await login()
  const { familyId } = readRefreshToken(refreshToken, keyRing.findSecret)!
  const rotate = async (repeats: number) => {
    const { refreshToken: next } = await tokens.refresh(refreshToken, DEVICE, NOW)
    await Promise.all(Array.from({ length: repeats }, async () => await tokens.refresh(refreshToken, DEVICE, NOW)))
    refreshToken = next
  }
  for (const repeats of [1, 5, 0, 1, 1, 0, 2]) await rotate(repeats)
  t.strictSame(signs, [], 'a gap begins anew')
  await rotate(1)
  await rotate(5)
  const event = { kind: 'refresh.repeated_in_a_row', at: NOW, userId: user.id, clientId: undefined, familyId, ...DEVICE, details: { generation: 8, rotations: 3 } }
  t.strictSame(signs, [event])
  for (let more = 0; more < 4; more++) await rotate(1)
  t.strictSame(signs, [event], 'while it goes on it is known')
  for (const repeats of [0, 1, 1, 1]) await rotate(repeats)
  t.match(signs, [event, { ...event, details: { generation: 16, rotations: 3 } }], 'and another row is another event')
})

t.test('a replaced token that comes after the clock was set back closes its family and is recorded', async t => {
  const { tokens, login, keyRing, signs, user } = await openServices(t)
  const first = await login()
  const second = await tokens.refresh(first.refreshToken, DEVICE, NOW + 1)
  const { familyId } = readRefreshToken(first.refreshToken, keyRing.findSecret)!
  await t.rejects(tokens.refresh(first.refreshToken, DEVICE, NOW - 3_600_000), { code: 'invalid_grant' })
  t.strictSame(signs, [{ kind: 'refresh.reused', at: NOW - 3_600_000, userId: user.id, clientId: undefined, familyId, ...DEVICE, details: { generation: 0 } }])
  await t.rejects(tokens.refresh(second.refreshToken, DEVICE, NOW - 3_600_000), { code: 'invalid_grant' })
})

t.test('a log-in while the clock is far ahead costs no other device its log-in, nor its own, and every one of them ends', async t => {
  const { tokens, login } = await openServices(t)
  const devices = [await login(), await login(NOW + 9e9)]
  let now = NOW
  for (const device of devices) {
    let pair = await tokens.refresh(device.refreshToken, DEVICE, now)
    t.equal(pair.refreshTokenExpiresIn, 1000)
    t.equal(tokens.list(await tokens.identify(pair.accessToken, now), now).length, 2)
    while (now < NOW + limits.absolute) pair = await tokens.refresh(pair.refreshToken, DEVICE, now += 900_000).catch(() => pair)
    await t.rejects(tokens.refresh(pair.refreshToken, DEVICE, now), { code: 'invalid_grant' })
    now = NOW
  }
})

t.test('a racer that moves the family first is followed', async t => {
  const { tokens, login, keyRing, store } = await openServices(t)
  const { refreshToken } = await login()
  const claims = readRefreshToken(refreshToken, keyRing.findSecret)!
  const ahead = writeRefreshToken({ ...claims, generation: 1 }, keyRing.refreshSecret)
  const move = { userId: claims.userId, familyId: claims.familyId, from: 0, to: 2, now: NOW, by: 'another', live: liveAfter(NOW, limits) }
  overtake(store, 'advanceFamily', async () => { overtake(store, 'advanceFamily', async () => await store.advanceFamily(move)) })
  t.equal(readRefreshToken((await tokens.refresh(ahead, DEVICE, NOW)).refreshToken, keyRing.findSecret)?.generation, 2)
})

t.test('what is no refresh token, or of nobody, is an invalid grant', async t => {
  const { tokens, keyRing } = await openServices(t)
  await t.rejects(tokens.refresh('nonsense', DEVICE, NOW), { code: 'invalid_grant' })
  const nobody = { userId: '00000000-0000-4000-8000-000000000000', familyId: '00000000-0000-4000-8000-000000000000', generation: 0 }
  await t.rejects(tokens.refresh(writeRefreshToken(nobody, keyRing.refreshSecret), DEVICE, NOW), { code: 'invalid_grant' })
})

t.test('a family dies of idleness and of age, and its access tokens with it', async t => {
  const { tokens, login } = await openServices(t)
  const idle = await login()
  await t.rejects(tokens.refresh(idle.refreshToken, DEVICE, NOW + limits.idle), { code: 'invalid_grant' })
  t.equal(idle.refreshTokenExpiresIn, 1000)
  let pair = await login()
  let now = NOW
  while (now + 900_000 < NOW + limits.absolute) pair = await tokens.refresh(pair.refreshToken, DEVICE, now += 900_000)
  t.equal(pair.refreshTokenExpiresIn, (NOW + limits.absolute - now) / 1000)
  await t.resolves(tokens.identify(pair.accessToken, now))
  await t.rejects(tokens.identify(pair.accessToken, NOW + limits.absolute), { code: 'invalid_token' })
  await t.rejects(tokens.refresh(pair.refreshToken, DEVICE, NOW + limits.absolute), { code: 'invalid_grant' })
})

t.test('a log-in that a password change overtook gets nothing', async t => {
  const { store, user, tokens } = await openServices(t)
  t.equal(await tokens.open({ ...user, passwordHash: 'another' }, 'another', { ip: '::1', userAgent: null }, NOW), undefined)
  t.strictSame((await store.findUser(user.id))?.families, [])
})
