// How keys are made, and how they are written to a file and read again, in clear or under a passphrase; holds no key and no file.
import { createHash, createPrivateKey, createPublicKey, createSecretKey, generateKeyPair, randomBytes, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { RefreshSecret } from '../core/refresh-token.js'
import { openPkcs8, ROUNDS, sealPkcs8 } from './sealed-pkcs8.js'

const ALGORITHM = 'RS256'
const SECRET_BYTES = 32
/** RFC 7518, section 4.8. */
const PASSWORD_BASED = { alg: 'PBES2-HS256+A128KW', enc: 'A256GCM' }

const generate = promisify(generateKeyPair)

/** A public key as verifiers may see it: these members and no more. */
export interface PublicJwk { kty: 'RSA', n: string, e: string, kid: string, use: 'sig', alg: 'RS256' }

export interface SigningKey { id: string, privateKey: KeyObject, publicKey: KeyObject, jwk: PublicJwk }

/** A key and the text of its file. */
export interface Material { id: string, text: string }

/** A new RSA key of so many bits, as PKCS#8 in PEM; encrypted where there is a passphrase. Its id is its thumbprint (RFC 7638). */
export async function makeSigningKey (bits: number, passphrase: string | undefined): Promise<Material> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: bits })
  const id = thumbprintOf(publicKey)
  // An id that looks like an option would be a nuisance on a command line.
  if (id.startsWith('-')) return await makeSigningKey(bits, passphrase)
  const text = passphrase === undefined ? privateKey.export({ type: 'pkcs8', format: 'pem' }) as string : await sealPkcs8(privateKey, passphrase)
  return { id, text }
}

/** A new secret of 32 bytes, as base64url; as a JWE where there is a passphrase. */
export async function makeSecret (passphrase: string | undefined): Promise<Material> {
  const secret = randomBytes(SECRET_BYTES)
  const text = passphrase === undefined ? secret.toString('base64url') : await encryptSecret(secret, passphrase)
  return { id: randomBytes(8).toString('hex'), text: `${text}\n` }
}

/** The signing key of a file. Throws what is wrong with it. */
export async function readSigningKey ({ id, text }: Material, passphrase: string | undefined): Promise<SigningKey> {
  const privateKey = text.includes('ENCRYPTED') ? await openPkcs8(text, assertPassphrase(passphrase)).catch(isOfAnother) : toPrivateKey(text)
  if (privateKey.asymmetricKeyType !== 'rsa') throw new Error('it is not an RSA key')
  const publicKey = createPublicKey(privateKey)
  const { n, e } = publicKey.export({ format: 'jwk' })
  const jwk: PublicJwk = { kty: 'RSA', n: n!, e: e!, kid: id, use: 'sig', alg: ALGORITHM }
  // An id that is not the key's own would let a damaged manifest publish one key as another.
  if (thumbprintOf(publicKey) !== id) throw new Error('it is another key than its id says')
  return { id, privateKey, publicKey, jwk }
}

/** RFC 7638, section 3: of the members that make the key, in this order and no others. */
function thumbprintOf (publicKey: KeyObject): string {
  const { e, kty, n } = publicKey.export({ format: 'jwk' })
  return createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url')
}

function toPrivateKey (text: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch (cause) {
    throw new Error('it is not a private key in PEM', { cause })
  }
}

/** The secret of a file. Throws what is wrong with it. */
export async function readSecret ({ id, text }: Material, passphrase: string | undefined): Promise<RefreshSecret> {
  const secret = text.includes('.') ? await decryptSecret(text.trim(), assertPassphrase(passphrase)).catch(isOfAnother) : Buffer.from(text.trim(), 'base64url')
  if (secret.length !== SECRET_BYTES) throw new Error('it must be 32 bytes')
  return { id, secret: createSecretKey(secret) }
}

// Loaded by whom a passphrase is set alone.
async function encryptSecret (secret: Uint8Array, passphrase: string): Promise<string> {
  const { CompactEncrypt } = await import('jose')
  return await new CompactEncrypt(secret).setProtectedHeader(PASSWORD_BASED).setKeyManagementParameters({ p2c: ROUNDS }).encrypt(Buffer.from(passphrase))
}

async function decryptSecret (text: string, passphrase: string): Promise<Buffer> {
  const { compactDecrypt } = await import('jose')
  const { plaintext } = await compactDecrypt(text, Buffer.from(passphrase), { keyManagementAlgorithms: [PASSWORD_BASED.alg], maxPBES2Count: ROUNDS })
  return Buffer.from(plaintext)
}

function assertPassphrase (passphrase: string | undefined): string {
  if (passphrase === undefined) throw new Error('it is encrypted, so KEYS_PASSPHRASE_FILE must be set')
  return passphrase
}

function isOfAnother (cause: unknown): never {
  throw new Error('the passphrase in KEYS_PASSPHRASE_FILE does not open it, or it is damaged; of that file every blank counts, and every line break but the last', { cause })
}
