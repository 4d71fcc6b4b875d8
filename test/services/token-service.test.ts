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
  const { tokens, login, keyRing, events, user } = await openServices(t)
  const first = await login()
  const second = await tokens.refresh(first.refreshToken, DEVICE, NOW + 1)
  t.equal((await tokens.refresh(first.refreshToken, DEVICE, NOW + 30_000)).refreshToken, second.refreshToken, 'within the grace')
  t.strictSame(events, [])
  await t.rejects(tokens.refresh(first.refreshToken, DEVICE, NOW + 30_001), { code: 'invalid_grant' })
  const { familyId } = readRefreshToken(first.refreshToken, keyRing.findSecret)!
  t.strictSame(events, [{ event: 'refresh_token_reused', userId: user.id, familyId, generation: 0 }])
  await t.rejects(tokens.refresh(second.refreshToken, DEVICE, NOW + 30_002), { code: 'invalid_grant' })
  await t.rejects(tokens.identify(second.accessToken, NOW + 30_002), { code: 'invalid_token' })
  t.equal(events.length, 1)
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

t.test('a racer that moves the family first is followed', async t => {
  const { tokens, login, keyRing, store } = await openServices(t)
  const { refreshToken } = await login()
  const claims = readRefreshToken(refreshToken, keyRing.findSecret)!
  const ahead = writeRefreshToken({ ...claims, generation: 1 }, keyRing.refreshSecret)
  const move = { userId: claims.userId, familyId: claims.familyId, from: 0, to: 2, now: NOW, live: liveAfter(NOW, limits) }
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
