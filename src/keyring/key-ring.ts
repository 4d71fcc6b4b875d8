// The ring in memory: signs, verifies, publishes; holds no rule of the keys' life cycle and no claim's meaning.
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import type { AccessTokenClaims } from '../core/access-token.js'
import type { RefreshSecret } from '../core/refresh-token.js'
import { readKeyFile, readManifest, type KeyRecord, type Manifest } from './ring-files.js'

const ALGORITHM = 'RS256'
const DIGEST = 'sha256'
const TYPE = 'at+jwt'

const signInPool = promisify(sign)

/** A public key as verifiers may see it: these members and no more. */
export interface PublicJwk { kty: 'RSA', n: string, e: string, kid: string, use: 'sig', alg: 'RS256' }

interface SigningKey { id: string, privateKey: KeyObject, publicKey: KeyObject, jwk: PublicJwk }

export interface KeyRingParts { active: SigningKey, verifying: SigningKey[], activeSecret: RefreshSecret, secrets: RefreshSecret[] }

export class KeyRing {
  /** The JWKS (RFC 7517, section 5) as it is sent, and its entity tag. */
  readonly jwks: { body: string, etag: string }
  readonly refreshSecret: RefreshSecret
  readonly #privateKey: KeyObject
  readonly #header: string
  /** By the encoded header of the tokens that a key signs. */
  readonly #verifying: Map<string, KeyObject>
  readonly #secrets: Map<string, Buffer>

  constructor (parts: KeyRingParts) {
    this.#privateKey = parts.active.privateKey
    this.#header = headerOf(parts.active.id)
    this.#verifying = new Map(parts.verifying.map(key => [headerOf(key.id), key.publicKey]))
    this.refreshSecret = parts.activeSecret
    this.#secrets = new Map(parts.secrets.map(({ id, secret }) => [id, secret]))
    const body = JSON.stringify({ keys: parts.verifying.map(key => key.jwk) })
    this.jwks = { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` }
  }

  /** The bytes of a refresh secret that still counts. */
  findSecret = (id: string): Buffer | undefined => this.#secrets.get(id)

  /** A signed access token (RFC 9068, section 2.1). */
  async sign (claims: AccessTokenClaims): Promise<string> {
    const input = `${this.#header}.${encode(claims)}`
    // By callback: in a thread of the pool, so that the signing of one answer holds no other back.
    const signature = await signInPool(DIGEST, Buffer.from(input), this.#privateKey)
    return `${input}.${signature.toString('base64url')}`
  }

  /**
   * The claims of a token of ours that is good at `now` (milliseconds). Throws otherwise (RFC 8725, section 3).
   * Only what this ring signed is good, so the header must be the very one that it writes: another algorithm or type, or a
   * key that the token brings or points to (jwk, jku, x5u), is never looked at.
   */
  verify (token: string, expected: { issuer: string, audience: string }, now: number): AccessTokenClaims {
    const [header = '', payload = '', signature = '', ...rest] = token.split('.')
    const key = this.#verifying.get(header)
    if (!key || rest.length > 0) throw new Error('the header is of no key of the ring')
    if (!verify(DIGEST, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))) throw new Error('the signature is not the key\'s')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as AccessTokenClaims
    if (claims.iss !== expected.issuer || claims.aud !== expected.audience) throw new Error('it was issued by or for somebody else')
    if (!(claims.exp * 1000 > now)) throw new Error('it has expired')
    return claims
  }

  /** Throws unless what the ring signs is verified by what it publishes. `now` in milliseconds. */
  async assertServes (now: number): Promise<void> {
    try {
      await this.#proveItself(now)
    } catch (cause) {
      throw new Error('The key ring cannot sign.', { cause })
    }
  }

  async #proveItself (now: number): Promise<void> {
    const seconds = Math.floor(now / 1000)
    const token = await this.sign({ iss: 'self', aud: 'self', sub: 'self', client_id: 'self', sid: 'self', jti: 'self', iat: seconds, exp: seconds + 1, auth_time: seconds })
    this.verify(token, { issuer: 'self', audience: 'self' }, now)
  }
}

/** The ring that a folder holds, or undefined where it holds none. Throws a sentence if it is broken. */
export async function loadRing (folder: string): Promise<KeyRing | undefined> {
  const manifest = await readManifest(folder)
  return manifest && new KeyRing(await readParts(folder, manifest))
}

async function readParts (folder: string, manifest: Manifest): Promise<KeyRingParts> {
  const signing = manifest.signing.filter(isPublished)
  const refresh = manifest.refresh.filter(isPublished)
  const verifying = await Promise.all(signing.map(async key => await readSigningKey(folder, key)))
  const secrets = await Promise.all(refresh.map(async key => await readSecret(folder, key)))
  return { active: verifying[indexOfActive(signing)]!, verifying, activeSecret: secrets[indexOfActive(refresh)]!, secrets }
}

/** The encoded header of every token that a key signs (RFC 9068, section 2.1; RFC 7515, section 7.1). */
function headerOf (keyId: string): string {
  return encode({ alg: ALGORITHM, typ: TYPE, kid: keyId })
}

function encode (part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

function isPublished (key: KeyRecord): boolean {
  return key.state !== 'revoked'
}

function indexOfActive (keys: KeyRecord[]): number {
  return keys.findIndex(key => key.state === 'active')
}

async function readSigningKey (folder: string, key: KeyRecord): Promise<SigningKey> {
  try {
    const pem = await readKeyFile(folder, key)
    const publicKey = createPublicKey(pem)
    const { n, e } = await exportJWK(publicKey)
    const jwk: PublicJwk = { kty: 'RSA', n: n!, e: e!, kid: key.id, use: 'sig', alg: ALGORITHM }
    // RFC 7638: an id that is not the key's own would let a damaged manifest publish one key as another.
    if (await calculateJwkThumbprint({ ...jwk }) !== key.id) throw new Error('it is another key than its id says')
    return { id: key.id, privateKey: createPrivateKey(pem), publicKey, jwk }
  } catch (cause) {
    throw brokenKey(key, cause)
  }
}

async function readSecret (folder: string, key: KeyRecord): Promise<RefreshSecret> {
  try {
    const secret = Buffer.from((await readKeyFile(folder, key)).trim(), 'base64url')
    if (secret.length !== 32) throw new Error('it must be 32 bytes')
    return { id: key.id, secret }
  } catch (cause) {
    throw brokenKey(key, cause)
  }
}

function brokenKey (key: KeyRecord, cause: unknown): Error {
  return new Error(`The key ring's file ${key.file} cannot be used: ${(cause as Error).message}.`, { cause })
}
