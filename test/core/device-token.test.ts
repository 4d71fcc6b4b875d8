// How device tokens are written and read: one spelling each, no forgery, an end, and nothing that is good for anything else.
import { createHmac, createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { DEVICE_TOKEN_LIFE, DEVICE_TOKEN_SHAPE, keepDeviceTokens, MAX_KEPT, readDeviceToken, writeDeviceToken } from '../../src/core/device-token.js'
import { readRefreshToken, writeRefreshToken } from '../../src/core/refresh-token.js'

const NOW = 1_800_000_000_000
const key = { id: '00ff00ff00ff00ff', secret: createSecretKey(randomBytes(32)) }
const claims = { userId: '85e1d14e-c36e-42d0-813a-4de326b52f12', deviceId: '7e58d306-cc36-49e2-8cda-c1d0e3bb6ff3' }
const find = (id: string) => id === key.id ? key.secret : undefined

t.test('what was written is read for its life, by a clock that is behind, too', async t => {
  const token = writeDeviceToken(claims, NOW, key)
  for (const now of [NOW, NOW - 60_000, NOW + DEVICE_TOKEN_LIFE - 1]) t.strictSame(readDeviceToken(token, now, find), claims)
  for (const now of [NOW + DEVICE_TOKEN_LIFE, NOW - DEVICE_TOKEN_LIFE]) t.equal(readDeviceToken(token, now, find), undefined)
})

t.test('every token has the shape that the log redacts', async t => {
  for (let i = 0; i < 100; i++) t.match(writeDeviceToken(claims, NOW, { id: randomBytes(8).toString('hex'), secret: key.secret }), new RegExp(`^${DEVICE_TOKEN_SHAPE.source}$`))
})

t.test('a token with any bit changed is as none', async t => {
  const bytes = Buffer.from(writeDeviceToken(claims, NOW, key), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    if (readDeviceToken(damaged.toString('base64url'), NOW, find)) t.fail(`bit ${bit}`)
  }
  t.pass('624 bits')
})

t.test('one token has one spelling, and what is longer is not looked at', async t => {
  const bytes = Buffer.concat([Buffer.from([2]), randomBytes(77)])
  const token = writeDeviceToken(claims, NOW, key)
  const others = [`${token}=`, ` ${token}`, `${token}\n`, ` ${token.slice(1)}`, `${token.slice(0, -1)}=`, token.slice(0, -1), '', 'A'.repeat(1_000_000), 'é'.repeat(104), '='.repeat(104), bytes.toString('base64url')]
  for (const other of others) t.equal(readDeviceToken(other, NOW, find), undefined, other.slice(0, 120))
  const withSigns = Array.from({ length: 50 }, (_, n) => writeDeviceToken({ ...claims, deviceId: randomUUID() }, NOW + n, key)).filter(token => /[-_]/.test(token))
  t.ok(withSigns.length > 0)
  for (const token of withSigns) t.equal(readDeviceToken(token.replaceAll('_', '/').replaceAll('-', '+'), NOW, find), undefined)
})

t.test('a token of a secret that is gone is as none', async t => {
  t.equal(readDeviceToken(writeDeviceToken(claims, NOW, key), NOW, () => undefined), undefined)
})

t.test('a device token is no refresh token and none is one, and neither is what the secret alone would authenticate', async t => {
  t.equal(readRefreshToken(writeDeviceToken(claims, NOW, key), find), undefined)
  t.equal(readDeviceToken(writeRefreshToken({ userId: claims.userId, familyId: claims.deviceId, generation: 1 }, key), NOW, find), undefined)
  const body = Buffer.from(writeDeviceToken(claims, NOW, key), 'base64url').subarray(0, 46)
  t.equal(readDeviceToken(Buffer.concat([body, createHmac('sha256', key.secret).update(body).digest()]).toString('base64url'), NOW, find), undefined)
})

t.test('a browser keeps the newest of each user, of four at most', async t => {
  const tokenOf = (userId: string, now = NOW) => writeDeviceToken({ userId, deviceId: randomUUID() }, now, key)
  const users = Array.from({ length: 5 }, () => randomUUID())
  const tokens = users.map(user => tokenOf(user))
  t.strictSame(keepDeviceTokens(tokens[0]!, []), [tokens[0]])
  const newer = tokenOf(users[1]!, NOW + 1)
  t.strictSame(keepDeviceTokens(newer, tokens.slice(0, 3)), [newer, tokens[0], tokens[2]])
  t.strictSame(keepDeviceTokens(tokens[4]!, ['', 'damaged', 'A'.repeat(5000), ...tokens]), [tokens[4], ...tokens.slice(0, MAX_KEPT - 1)])
})
