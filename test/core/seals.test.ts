// What is sealed is read again by whoever has the secret, for what it was made for, and by nobody else.
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { CompactEncrypt } from 'jose'
import t from 'tap'
import { open, readStamp, seal, stamp, type Purpose } from '../../src/core/seals.js'

const [ID, OTHER] = ['0123456789abcdef', 'fedcba9876543210']
const secret = createSecretKey(randomBytes(32))
const other = createSecretKey(randomBytes(32))
const ring = new Map<string, KeyObject>([[ID, secret], [OTHER, other]])
const find = (id: string) => ring.get(id)
const PURPOSES: Purpose[] = ['code', 'decision', 'log-out', 'asked']

t.test('a value is read again as it was sealed, by the secret that it names', async t => {
  const value = { text: '€"\u0000', list: [1, null], none: {} }
  const sealed = await seal('code', value, { id: ID, secret })
  t.match(sealed, /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/)
  t.notMatch(Buffer.from(sealed, 'base64url').toString('latin1'), /text|list/)
  t.strictSame(await open('code', sealed, find), value)
  t.not(await seal('code', value, { id: ID, secret }), sealed, 'never twice as the same text')
  t.strictSame(await open('code', await seal('code', value, { id: OTHER, secret: other }), find), value)
})

t.test('a value is read for nothing but what it was sealed for', async t => {
  for (const made of PURPOSES) {
    const sealed = await seal(made, { made }, { id: ID, secret })
    for (const read of PURPOSES) t.strictSame(await open(read, sealed, find), made === read ? { made } : undefined, `${made} as ${read}`)
  }
})

t.test('what nobody sealed with a secret of the ring is not read', async t => {
  const sealed = await seal('code', { user: 'ada' }, { id: ID, secret })
  const parts = sealed.split('.')
  for (const at of [0, 2, 3, 4]) {
    const changed = parts.map((part, index) => index === at ? `${part[0] === 'A' ? 'B' : 'A'}${part.slice(1)}` : part).join('.')
    t.equal(await open('code', changed, find), undefined, `part ${at} changed`)
  }
  for (const text of ['', '.', '....', 'nonsense', sealed.slice(0, -4), `${sealed}.`, `${sealed.slice(0, -22)}`, parts.slice(0, 4).join('.')]) t.equal(await open('code', text, find), undefined)
  // The tag has sixteen bytes, so that its last letter has four bits to spare.
  for (const text of [`${sealed}\n`, `${sealed}=`, ` ${sealed}`, sealed.replace('.', '.\n'), `${sealed.slice(0, -1)}${sealed.endsWith('A') ? 'B' : String.fromCharCode(sealed.charCodeAt(sealed.length - 1) + 1)}`]) t.equal(await open('code', text, find), undefined, 'another spelling')
  t.equal(await open('code', sealed, () => undefined), undefined, 'a secret that counts no more')
  t.equal(await open('code', await seal('code', {}, { id: ID, secret: other }), find), undefined, 'another secret under the same id')
})

t.test('a text that is encrypted by another algorithm is not read, whatever its key', async t => {
  const direct = async (enc: string, bytes: number) => await new CompactEncrypt(Buffer.from('{}')).setProtectedHeader({ alg: 'dir', enc, kid: ID }).encrypt(randomBytes(bytes))
  for (const [enc, bytes] of [['A128GCM', 16], ['A128CBC-HS256', 32], ['A256GCM', 32]] as const) t.equal(await open('code', await direct(enc, bytes), find), undefined, enc)
})

t.test('a stamp says when, of its text and for its purpose alone', async t => {
  const stamped = stamp('asked', 'response_type=code', 1_800_000_000_000, { id: ID, secret })
  t.equal(readStamp('asked', 'response_type=code', stamped, find), 1_800_000_000_000)
  t.equal(readStamp('asked', 'response_type=code&', stamped, find), undefined)
  t.equal(readStamp('asked', 'response_type=code', stamped.replace(/^1/, '2'), find), undefined)
  t.equal(readStamp('asked', 'response_type=code', stamped.replace(ID, OTHER), find), undefined)
  t.equal(readStamp('asked', 'response_type=code', stamped, () => undefined), undefined)
  t.equal(readStamp('reset-password', 'response_type=code', stamped, find), undefined, 'for another purpose')
  for (const text of ['', '1800000000000', `${stamped}=`, stamped.slice(1), stamped.slice(0, -1), ` ${stamped}`, stamped.toUpperCase(), `-${stamped}`, `1e3${stamped.slice(13)}`]) t.equal(readStamp('asked', 'response_type=code', text, find), undefined, text)
})
