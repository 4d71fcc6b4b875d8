// How refresh tokens are written and read: one spelling each, and no forgery.
import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import t from 'tap'
import { readRefreshToken, REFRESH_TOKEN_SHAPE, writeRefreshToken } from '../../src/core/refresh-token.js'

const key = { id: '00ff00ff00ff00ff', secret: createSecretKey(randomBytes(32)) }
const claims = { userId: '85e1d14e-c36e-42d0-813a-4de326b52f12', familyId: '7e58d306-cc36-49e2-8cda-c1d0e3bb6ff3', generation: 258 }
const find = (id: string) => id === key.id ? key.secret : undefined

t.test('what was written is read', async t => {
  const token = writeRefreshToken(claims, key)
  t.strictSame(readRefreshToken(token, find), claims)
  t.match(token, /^[\w-]{103}$/)
})

t.test('every token has the shape that the log redacts', async t => {
  for (let i = 0; i < 100; i++) t.match(writeRefreshToken(claims, { id: randomBytes(8).toString('hex'), secret: key.secret }), new RegExp(`^${REFRESH_TOKEN_SHAPE.source}$`))
})

t.test('a token with any bit changed is refused', async t => {
  const bytes = Buffer.from(writeRefreshToken(claims, key), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    if (readRefreshToken(damaged.toString('base64url'), find)) t.fail(`bit ${bit}`)
  }
  t.pass('616 bits')
})

t.test('one token has one spelling', async t => {
  const token = writeRefreshToken(claims, key)
  for (const other of [`${token}=`, ` ${token}`, `${token}\n`, token.replaceAll('_', '/').replaceAll('-', '+') + '==', token.slice(0, -1), '', 'A']) t.equal(readRefreshToken(other, find), undefined, other)
})

t.test('a token of an unknown key is refused', async t => {
  t.equal(readRefreshToken(writeRefreshToken(claims, key), () => undefined), undefined)
})

t.test('the last generation that fits has no successor and is refused', async t => {
  const bytes = Buffer.from(writeRefreshToken({ ...claims, generation: 0xffffffff }, key), 'base64url')
  t.ok(createHmac('sha256', key.secret).update(bytes.subarray(0, 45)).digest().equals(bytes.subarray(45)), 'authentic')
  t.equal(readRefreshToken(bytes.toString('base64url'), find), undefined)
})
