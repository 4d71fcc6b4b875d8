// A private key under a passphrase, as encrypted PKCS#8 (RFC 5958, RFC 8018) in as many rounds as today asks for, which Node.js cannot be told; holds no key.
import { createCipheriv, createDecipheriv, createPrivateKey, pbkdf2, randomBytes, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

/** Of PBKDF2 with HMAC-SHA-256: what OWASP's Password Storage Cheat Sheet asks for. */
export const ROUNDS = 600_000

const CIPHER = 'aes-256-cbc'
const KEY_BYTES = 32
const SALT_BYTES = 16
const IV_BYTES = 16

// In the pool, so that nobody who is served waits for it.
const derive = promisify(pbkdf2)

/** ASN.1's tags, and object identifiers as they are encoded. */
const [INTEGER, OCTETS, NULL, OID, SEQUENCE] = [0x02, 0x04, 0x05, 0x06, 0x30]
const PBES2 = '2a864886f70d01050d'
const PBKDF2 = '2a864886f70d01050c'
const HMAC_SHA256 = '2a864886f70d0209'
const AES_256_CBC = '60864801650304012a'

/** The key in PEM, which OpenSSL reads too. */
export async function sealPkcs8 (key: KeyObject, passphrase: string): Promise<string> {
  const [salt, iv] = [randomBytes(SALT_BYTES), randomBytes(IV_BYTES)]
  const cipher = createCipheriv(CIPHER, await derive(passphrase, salt, ROUNDS, KEY_BYTES, 'sha256'), iv)
  const sealed = Buffer.concat([cipher.update(key.export({ type: 'pkcs8', format: 'der' })), cipher.final()])
  const base64 = der(SEQUENCE, algorithmOf(salt, iv), der(OCTETS, sealed)).toString('base64')
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END ENCRYPTED PRIVATE KEY-----\n`
}

/** The key of a PEM of ours, or of any other that OpenSSL reads, for which it is left the work. Throws if the passphrase is another's. */
export async function openPkcs8 (pem: string, passphrase: string): Promise<KeyObject> {
  const file = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')
  const { start, salt, iv } = PLACES
  const [ourSalt, ourIv] = [file.subarray(salt, salt + SALT_BYTES), file.subarray(iv, iv + IV_BYTES)]
  const algorithm = algorithmOf(ourSalt, ourIv)
  const end = start + algorithm.length
  if (!file.subarray(start, end).equals(algorithm)) return createPrivateKey({ key: pem, passphrase })
  const decipher = createDecipheriv(CIPHER, await derive(passphrase, ourSalt, ROUNDS, KEY_BYTES, 'sha256'), ourIv)
  const key = Buffer.concat([decipher.update(file.subarray(end + HEADER_BYTES)), decipher.final()])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

/** The tag and the length of what is longer than 255 bytes, as every RSA key is. */
const HEADER_BYTES = 4

/** RFC 8018, appendix A: PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC. */
function algorithmOf (salt: Uint8Array, iv: Uint8Array): Buffer {
  const rounds = Buffer.from(ROUNDS.toString(16).padStart(6, '0'), 'hex')
  const derivation = der(SEQUENCE, oid(PBKDF2), der(SEQUENCE, der(OCTETS, salt), der(INTEGER, rounds), der(SEQUENCE, oid(HMAC_SHA256), der(NULL))))
  return der(SEQUENCE, oid(PBES2), der(SEQUENCE, derivation, der(SEQUENCE, oid(AES_256_CBC), der(OCTETS, iv))))
}

/** Where a file of ours has its algorithm, and what differs in it from file to file. */
const PLACES = placesIn(algorithmOf(Buffer.alloc(SALT_BYTES, 'salt'), Buffer.alloc(IV_BYTES, 'iv')))

function placesIn (algorithm: Buffer): { start: number, salt: number, iv: number } {
  return { start: HEADER_BYTES, salt: HEADER_BYTES + algorithm.indexOf('salt'), iv: HEADER_BYTES + algorithm.indexOf('iviv') }
}

function oid (hex: string): Buffer {
  return der(OID, Buffer.from(hex, 'hex'))
}

function der (tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
