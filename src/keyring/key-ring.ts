// The ring in memory: signs, verifies, publishes; holds no rule of the keys' life cycle and no claim's meaning.
import { createHash, hash, sign, verify, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isAccessTokenClaims, type AccessTokenClaims } from '../core/access-token.js'
import { isAhead } from '../core/clock.js'
import type { KeyRecord } from '../core/key-life-cycle.js'
import { RecentMap } from '../core/recent-map.js'
import type { RefreshSecret } from '../core/refresh-token.js'
import type { StatusListClaims } from '../core/status-list.js'
import { inWords } from '../faults.js'
import { readSecret, readSigningKey, type Material, type SigningKey } from './key-material.js'
import { assertPrivate, keysOf, mending, parseManifest, published, readKeyFile, readManifestText, type Manifest, type RingPlace } from './ring-files.js'

const ALGORITHM = 'RS256'
const DIGEST = 'sha256'
const TYPES = { accessToken: 'at+jwt', idToken: 'JWT', statusList: 'statuslist+jwt' }
type TokenType = 'accessToken' | 'idToken'

/** How a text is signed: where others wait meanwhile, or in a thread of the pool. */
export type Signing = (digest: string, input: Buffer, privateKey: KeyObject) => Buffer | Promise<Buffer>

/** In a thread of the pool, so that the signing of one answer holds no other back. */
export const signInPool: Signing = promisify(sign)

/** In this thread: where there is a process for each core, a thread of the pool would take the time of another of them, and the way to it costs a twentieth of a signature. */
export const signAtOnce: Signing = sign

/** Of how many access tokens it is remembered that the ring signed them: a few megabytes. */
const RECOGNISED = 5_000

export interface KeyRingParts {
  active: SigningKey
  verifying: SigningKey[]
  activeSecret: RefreshSecret
  secrets: RefreshSecret[]
  /** None of a ring that was made before there were any. */
  sealing?: { active: RefreshSecret, all: RefreshSecret[] } | undefined
}

/** The keys as they are looked up. */
interface InUse {
  privateKey: KeyObject
  /** The encoded headers of what it signs. */
  headers: Record<keyof typeof TYPES, string>
  keyId: string
  /** By the encoded header of the tokens that a key signs. */
  verifying: Record<TokenType, Map<string, KeyObject>>
  /** The payloads of access tokens that were found to be signed by one of these keys, by the token's digest: a token may be held by a longer text that it came in. */
  recognised: RecentMap<NonNullable<unknown>>
  refreshSecret: RefreshSecret
  secrets: Map<string, KeyObject>
  sealingSecret: RefreshSecret | undefined
  sealingSecrets: Map<string, KeyObject>
  jwks: { body: string, etag: string }
}

/** By whom an access token must be issued, and for whom, where that counts. */
interface Expected { issuer: string, audience?: string }

export class KeyRing {
  /** Why the ring on disk is not the one in use, where it cannot be; a sentence for operators. */
  fault: Error | undefined
  /** Told when other keys are in use. */
  onAdopt = (): void => {}
  readonly #signing: Signing
  #keys: InUse

  constructor (parts: KeyRingParts, signing = signInPool) {
    this.#keys = toUse(parts)
    this.#signing = signing
  }

  /** Goes on with other keys, between one signature and the next. */
  adopt (parts: KeyRingParts): void {
    this.#keys = toUse(parts)
    this.fault = undefined
    this.onAdopt()
  }

  /** The JWKS (RFC 7517, section 5) as it is sent, and its entity tag. */
  get jwks (): { body: string, etag: string } {
    return this.#keys.jwks
  }

  /** The id of the key that signs now. */
  get keyId (): string {
    return this.#keys.keyId
  }

  /** The secret that makes refresh tokens now. */
  get refreshSecret (): RefreshSecret {
    return this.#keys.refreshSecret
  }

  /** A refresh secret that still counts, by its id. */
  findSecret = (id: string): KeyObject | undefined => this.#keys.secrets.get(id)

  /** The secret that seals what is kept for years, now; none of a ring of before there were any, until a server or a command has made it. */
  get sealingSecret (): RefreshSecret | undefined {
    return this.#keys.sealingSecret
  }

  /** A sealing secret that still counts, by its id. */
  findSealingSecret = (id: string): KeyObject | undefined => this.#keys.sealingSecrets.get(id)

  /** A signed access token (RFC 9068, section 2.1). */
  async sign (claims: AccessTokenClaims): Promise<string> {
    return await this.#sign('accessToken', claims)
  }

  /** A signed ID token (OpenID Connect Core 1.0, section 2). Its type is another than an access token's, so that nobody takes it for one. */
  async signIdToken (claims: object): Promise<string> {
    return await this.#sign('idToken', claims)
  }

  /** A signed status list (draft-ietf-oauth-status-list-21, section 5.1). It has no audience, so that nobody takes it for an access token. */
  async signStatusList (claims: StatusListClaims): Promise<string> {
    return await this.#sign('statusList', claims)
  }

  async #sign (type: keyof typeof TYPES, claims: object): Promise<string> {
    const { headers, privateKey } = this.#keys
    const input = `${headers[type]}.${encode(claims)}`
    const signature = await this.#signing(DIGEST, Buffer.from(input), privateKey)
    return `${input}.${signature.toString('base64url')}`
  }

  /**
   * The claims of a token of ours that is good at `now` (milliseconds). Throws otherwise (RFC 8725, section 3).
   * Only what this ring signed is good, so the header must be the very one that it writes: another algorithm or type, or a
   * key that the token brings or points to (jwk, jku, x5u), is never looked at.
   */
  verify (token: string, expected: Expected, now: number): AccessTokenClaims {
    return checked(this.#open('accessToken', token), expected, now)
  }

  /** The same of a token that will be asked about again: that the ring signed it is remembered as long as the ring stands. */
  verifyAgain (token: string, expected: Expected, now: number): AccessTokenClaims {
    const { recognised } = this.#keys
    const digest = hash('sha256', token, 'base64url')
    const claims = checked(recognised.get(digest) ?? this.#open('accessToken', token), expected, now)
    recognised.set(digest, claims)
    return claims
  }

  /** What an ID token of ours says, however long ago it expired (OpenID Connect RP-Initiated Logout 1.0, section 4). Throws of any other. */
  readIdToken (token: string): unknown {
    return this.#open('idToken', token)
  }

  /** The payload of what this ring signed as of a type. */
  #open (type: TokenType, token: string): unknown {
    const [header = '', payload = '', signature = '', ...rest] = token.split('.')
    const key = this.#keys.verifying[type].get(header)
    if (!key || rest.length > 0) throw new Error('the header is of no key of the ring')
    if (!verify(DIGEST, Buffer.from(`${header}.${payload}`), key, decodeStrictly(signature))) throw new Error('the signature is not the key\'s')
    // However it is spelled: the signature is one of this very text.
    return JSON.parse(Buffer.from(payload, 'base64url').toString())
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

/** Keys that were read before, by the text of their files: to open one that is under a passphrase takes a while, on purpose. */
type Known = ReadonlyMap<string, SigningKey | RefreshSecret>

/** A ring as it was read: the manifest, as text too, and its keys. */
export interface ReadRing { text: string, manifest: Manifest, parts: KeyRingParts, known: Known }

/** The ring that a folder holds, or undefined where it holds none. `known` are the keys of the one before. Throws a sentence if it is broken. */
export async function readRing (place: RingPlace, known: Known = new Map()): Promise<ReadRing | undefined> {
  const text = await readManifestText(place.folder)
  if (text === undefined) return undefined
  const manifest = parseManifest(place.folder, text)
  try {
    return { text, manifest, ...await readParts(place, manifest, known) }
  } catch (error) {
    // A manifest that is another by now, or a folder that was swapped, explains a file that is missing.
    if (await readManifestText(place.folder) === text) throw error
    return await readRing(place, known)
  }
}

/** The keys that a manifest names. Throws a sentence if one cannot be used, or may be read by others. */
export async function readParts (place: RingPlace, manifest: Manifest, known: Known = new Map()): Promise<Pick<ReadRing, 'parts' | 'known'>> {
  await assertPrivate(place.folder, manifest)
  const [signing, refresh, sealing] = [published(manifest.signing), published(manifest.refresh), published(keysOf(manifest, 'sealing'))]
  const texts = new Map<string, SigningKey | RefreshSecret>()
  const verifying = await readKeys(place, signing, readSigningKey, known, texts)
  const secrets = await readKeys(place, refresh, readSecret, known, texts)
  const all = await readKeys(place, sealing, readSecret, known, texts)
  const activeSealing = all[indexOfActive(sealing)]
  const parts = { active: verifying[indexOfActive(signing)]!, verifying, activeSecret: secrets[indexOfActive(refresh)]!, secrets, sealing: activeSealing && { active: activeSealing, all } }
  return { parts, known: texts }
}

type ReadKey<Key> = (material: Material, passphrase: string | undefined) => Promise<Key>

// One after the other: several at once would take every thread of the pool, in which tokens are signed meanwhile.
async function readKeys<Key extends SigningKey | RefreshSecret> (place: RingPlace, records: KeyRecord[], read: ReadKey<Key>, known: Known, texts: Map<string, SigningKey | RefreshSecret>): Promise<Key[]> {
  const keys: Key[] = []
  for (const record of records) {
    const path = join(place.folder, record.file)
    try {
      const text = await readKeyFile(place.folder, record)
      const before = known.get(text)
      const key = before?.id === record.id ? before as Key : await read({ id: record.id, text }, place.passphrase)
      texts.set(text, key)
      keys.push(key)
    } catch (cause) {
      throw new Error(`The key ring's file ${record.file} cannot be used: ${inWords(cause)}${mending(path, cause)}`, { cause })
    }
  }
  return keys
}

function toUse (parts: KeyRingParts): InUse {
  const body = JSON.stringify({ keys: parts.verifying.map(key => key.jwk) })
  return {
    privateKey: parts.active.privateKey,
    headers: { accessToken: headerOf('accessToken', parts.active.id), idToken: headerOf('idToken', parts.active.id), statusList: headerOf('statusList', parts.active.id) },
    keyId: parts.active.id,
    verifying: { accessToken: byHeader('accessToken', parts.verifying), idToken: byHeader('idToken', parts.verifying) },
    recognised: new RecentMap(RECOGNISED),
    refreshSecret: parts.activeSecret,
    secrets: byId(parts.secrets),
    sealingSecret: parts.sealing?.active,
    sealingSecrets: byId(parts.sealing?.all ?? []),
    jwks: { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` },
  }
}

/** The payload of an access token of ours, if it is good at `now` (milliseconds). Throws otherwise. */
function checked (claims: unknown, expected: Expected, now: number): AccessTokenClaims {
  if (!isAccessTokenClaims(claims)) throw new Error('a claim is missing or of another type')
  const isMeant = expected.audience === undefined || claims.aud === expected.audience
  if (claims.iss !== expected.issuer || !isMeant) throw new Error('it was issued by or for somebody else')
  if (claims.exp * 1000 <= now) throw new Error('it has expired')
  if ((claims.nbf ?? 0) * 1000 > now) throw new Error('it is not good yet')
  // It would be good for longer than any token may be.
  if (isAhead(claims.iat * 1000, now)) throw new Error('it was issued in the future')
  return claims
}

function byId (secrets: RefreshSecret[]): Map<string, KeyObject> {
  return new Map(secrets.map(({ id, secret }) => [id, secret]))
}

function byHeader (type: TokenType, keys: SigningKey[]): Map<string, KeyObject> {
  return new Map(keys.map(key => [headerOf(type, key.id), key.publicKey]))
}

/** The encoded header of every token of a type that a key signs (RFC 9068, section 2.1; RFC 7515, section 7.1). */
function headerOf (type: keyof typeof TYPES, keyId: string): string {
  return encode({ alg: ALGORITHM, typ: TYPES[type], kid: keyId })
}

function encode (part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** The bytes of a part of a token. Throws unless it is spelled as they are encoded (RFC 7515, section 2), for Node reads much else as well. */
function decodeStrictly (part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  if (bytes.toString('base64url') !== part) throw new Error('a part is not spelled in base64url')
  return bytes
}

function indexOfActive (keys: KeyRecord[]): number {
  return keys.findIndex(key => key.state === 'active')
}
