// The ring in memory: signs, verifies, publishes; holds no rule of the keys' life cycle and no claim's meaning.
import { createHash, createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, importPKCS8, jwtVerify, SignJWT, type CryptoKey, type JWTPayload, type ProtectedHeaderParameters } from 'jose'
import type { AccessTokenClaims } from '../core/access-token.js'
import type { RefreshSecret } from '../core/refresh-token.js'
import { readKeyFile, readManifest, type KeyRecord, type Manifest } from './ring-files.js'

const ALGORITHM = 'RS256'
const TYPE = 'at+jwt'
const HEADER_MEMBERS = new Set(['alg', 'typ', 'kid'])

/** A public key as verifiers may see it: these members and no more. */
export interface PublicJwk { kty: 'RSA', n: string, e: string, kid: string, use: 'sig', alg: 'RS256' }

interface SigningKey { id: string, privateKey: CryptoKey, publicKey: CryptoKey, jwk: PublicJwk }

export interface KeyRingParts { active: SigningKey, verifying: SigningKey[], activeSecret: RefreshSecret, secrets: RefreshSecret[] }

export class KeyRing {
  /** The JWKS (RFC 7517, section 5) as it is sent, and its entity tag. */
  readonly jwks: { body: string, etag: string }
  readonly refreshSecret: RefreshSecret
  readonly #active: SigningKey
  readonly #verifying: Map<string, CryptoKey>
  readonly #secrets: Map<string, Buffer>

  constructor (parts: KeyRingParts) {
    this.#active = parts.active
    this.#verifying = new Map(parts.verifying.map(key => [key.id, key.publicKey]))
    this.refreshSecret = parts.activeSecret
    this.#secrets = new Map(parts.secrets.map(({ id, secret }) => [id, secret]))
    const body = JSON.stringify({ keys: parts.verifying.map(key => key.jwk) })
    this.jwks = { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` }
  }

  /** The bytes of a refresh secret that still counts. */
  findSecret = (id: string): Buffer | undefined => this.#secrets.get(id)

  /** A signed access token (RFC 9068, section 2.1). */
  async sign (claims: AccessTokenClaims): Promise<string> {
    return await new SignJWT({ ...claims }).setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: this.#active.id }).sign(this.#active.privateKey)
  }

  /** The claims of a token of ours that is good at `now` (milliseconds). Throws jose's error otherwise (RFC 8725, section 3). */
  async verify (token: string, expected: { issuer: string, audience: string }, now: number): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, this.#keyFor, {
      algorithms: [ALGORITHM], typ: TYPE, issuer: expected.issuer, audience: expected.audience, currentDate: new Date(now), requiredClaims: ['exp', 'sub', 'sid'],
    })
    return payload
  }

  /** Throws unless what the ring signs is verified by what it publishes. `now` in milliseconds. */
  async assertServes (now: number): Promise<void> {
    const seconds = Math.floor(now / 1000)
    const token = await this.sign({ iss: 'self', aud: 'self', sub: 'self', client_id: 'self', sid: 'self', jti: 'self', iat: seconds, exp: seconds + 1, auth_time: seconds })
    await this.verify(token, { issuer: 'self', audience: 'self' }, now)
  }

  // A header that brings or points to a key of its own (jwk, jku, x5u) is an attack, whatever it is signed with.
  #keyFor = (header: ProtectedHeaderParameters & { kid?: string }): CryptoKey => {
    const key = Object.keys(header).every(member => HEADER_MEMBERS.has(member)) && this.#verifying.get(header.kid ?? '')
    if (!key) throw new Error('the header names no key of the ring, or more than one')
    return key
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

function isPublished (key: KeyRecord): boolean {
  return key.state !== 'revoked'
}

function indexOfActive (keys: KeyRecord[]): number {
  return keys.findIndex(key => key.state === 'active')
}

async function readSigningKey (folder: string, key: KeyRecord): Promise<SigningKey> {
  try {
    const pem = await readKeyFile(folder, key)
    const { n, e } = await exportJWK(createPublicKey(pem))
    const jwk: PublicJwk = { kty: 'RSA', n: n!, e: e!, kid: key.id, use: 'sig', alg: ALGORITHM }
    // RFC 7638: an id that is not the key's own would let a damaged manifest publish one key as another.
    if (await calculateJwkThumbprint({ ...jwk }) !== key.id) throw new Error('it is another key than its id says')
    const publicKey = await crypto.subtle.importKey('jwk', { ...jwk }, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify'])
    return { id: key.id, privateKey: await importPKCS8(pem, ALGORITHM), publicKey, jwk }
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
