// The right to set another password: of one user, of one password, until an instant, and nobody else's to write.
import { createSecretKey, randomBytes } from 'node:crypto'
import t from 'tap'
import { isResetTokenOf, userOfResetToken, writeResetToken } from '../../src/core/reset-token.js'
import { stamp } from '../../src/core/seals.js'

const NOW = 1_800_000_000_000
const [id, other] = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b']
const key = { id: '0123456789abcdef', secret: createSecretKey(randomBytes(32)) }
const find = (id: string) => id === key.id ? key.secret : undefined

t.test('a token is good for its user, as long as the password is the same, until it expires', async t => {
  const holder = { id, passwordHash: '$2b$hash' }
  const token = writeResetToken(holder, NOW + 1000, key)
  t.match(token, /^[\w.-]{110,113}$/, 'as a fragment of an address takes it')
  t.equal(userOfResetToken(token), id)
  t.ok(isResetTokenOf(holder, token, NOW + 999, find))
  t.notOk(isResetTokenOf(holder, token, NOW + 1000, find))
  t.notOk(isResetTokenOf({ ...holder, passwordHash: '$2b$other' }, token, NOW, find))
  t.notOk(isResetTokenOf({ ...holder, id: other }, token, NOW, find))
  t.notOk(isResetTokenOf({ ...holder, id: other }, token.replace(id, other), NOW, find))
  t.notOk(isResetTokenOf(holder, token, NOW, () => undefined), 'of a secret that does not count any more')
  t.notOk(isResetTokenOf(holder, token.replace(String(NOW + 1000), String(NOW + 2000)), NOW, find))
  t.notOk(isResetTokenOf(holder, `${id}.${stamp('asked', `${id} $2b$hash`, NOW + 1000, key)}`, NOW, find), 'what is stamped for another purpose')
})

t.test('a token has one spelling', async t => {
  const holder = { id, passwordHash: '$2b$hash' }
  const token = writeResetToken(holder, NOW + 1000, key)
  const spellings = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map(last => `${token.slice(0, -1)}${last}`)
  t.strictSame(spellings.filter(spelling => isResetTokenOf(holder, spelling, NOW, find)), [token])
  t.notOk(isResetTokenOf(holder, token.replace(String(NOW + 1000), `0${NOW + 1000}`), NOW, find))
})

t.test('what is no token names nobody', async t => {
  for (const text of ['', id, `${id}.`, `${id.toUpperCase()}.1.2.3`, `x${id}.1`, ` ${id}.1`]) {
    t.equal(userOfResetToken(text), undefined, text)
    t.notOk(isResetTokenOf({ id, passwordHash: '' }, text, NOW, find))
  }
})
