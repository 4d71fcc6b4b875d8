// Which keys of authenticators are taken: whole ones, of the kind that their algorithm wants.
import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { ALGORITHMS, isUsableKey } from '../../src/core/cose-keys.js'

const jwkOf = ({ publicKey }: { publicKey: { export: (options: { format: 'jwk' }) => object } }) => publicKey.export({ format: 'jwk' }) as Record<string, string>
const bytes = (text: string | undefined) => Buffer.from(text!, 'base64url')
// Nobody asks for the primes.
const rsa = (bits: number) => new Map<number, unknown>([[1, 3], [3, -257], [-1, Buffer.alloc(bits / 8, 255)], [-2, Buffer.from([1, 0, 1])]])
const { x, y } = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const es256 = new Map<number, unknown>([[1, 2], [3, -7], [-1, 1], [-2, bytes(x)], [-3, bytes(y)]])
const eddsa = new Map<number, unknown>([[1, 1], [3, -8], [-1, 6], [-2, bytes(jwkOf(generateKeyPairSync('ed25519')).x)]])
const withLabel = (key: Map<number, unknown>, label: number, value: unknown) => new Map(key).set(label, value)

t.test('keys of the three algorithms are usable, those of RSA from 2048 to 4096 bits', async t => {
  t.strictSame(ALGORITHMS, [-7, -257, -8])
  t.strictSame([es256, eddsa, rsa(2_048), rsa(4_096)].map(isUsableKey), [true, true, true, true])
  t.strictSame([rsa(2_040), rsa(4_104)].map(isUsableKey), [false, false])
})

t.test('a key that is not whole, or of another kind than its algorithm says, is none', async t => {
  const [short, other] = [bytes(y).subarray(0, 30), bytes(jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' })).y)]
  const broken = [
    new Map(), withLabel(es256, -3, short), withLabel(es256, -3, other), withLabel(es256, -3, undefined), withLabel(es256, -3, 'text'), withLabel(es256, -1, 2), withLabel(es256, 1, 3), withLabel(es256, 3, -35), withLabel(es256, 3, -8),
    withLabel(eddsa, -2, Buffer.alloc(31)), withLabel(eddsa, -1, 1), withLabel(eddsa, 3, -7),
    withLabel(rsa(2_048), -1, Buffer.alloc(0)), withLabel(rsa(2_048), 3, -7),
  ]
  t.strictSame(broken.map(isUsableKey), broken.map(() => false))
})
