// An authenticator of W3C Web Authentication, made of node:crypto, for the tests of passkeys: it answers as a browser would, and wrongly where that is asked; holds no assertion.
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import type { AuthenticationResponse, CreationOptions, RegistrationResponse, RequestOptions } from '../src/services/webauthn.js'

export type Algorithm = 'ES256' | 'RS256' | 'EdDSA'

/** What an answer says otherwise than it should. */
export interface Wrong {
  origin?: string
  rpId?: string
  type?: string
  challenge?: string
  /** Of the authenticator data (section 6.1). */
  flags?: number
  counter?: number
  userHandle?: string | null
  /** More members of the client data. */
  clientData?: object
  /** In the stead of those that are asked for. */
  algorithm?: number
  id?: string
  signature?: string
  attestation?: { fmt: string, attStmt: Map<string, unknown> }
}

const [PRESENT, VERIFIED, MAY_BE_BACKED_UP, IS_BACKED_UP, HAS_CREDENTIAL] = [1, 4, 8, 16, 64]
/** A passkey that is kept beyond the device. */
export const SYNCED = PRESENT | VERIFIED | MAY_BE_BACKED_UP | IS_BACKED_UP
/** One that is not. */
export const BOUND = PRESENT | VERIFIED
export const UNVERIFIED = PRESENT
const AAGUID = Buffer.alloc(16)

export class Authenticator {
  readonly id = randomBytes(20).toString('base64url')
  readonly #algorithm: Algorithm
  readonly #privateKey: KeyObject
  readonly #publicKey: KeyObject
  readonly #origin: string
  #userHandle: string | undefined
  /** 0: it does not count. */
  counter = 0

  constructor (origin: string, algorithm: Algorithm = 'ES256') {
    const { privateKey, publicKey } = keyPair(algorithm)
    this.#origin = origin
    this.#algorithm = algorithm
    this.#privateKey = privateKey
    this.#publicKey = publicKey
  }

  /** The key as COSE has it (RFC 9052, section 7; RFC 8230, section 4). */
  coseKey (algorithm?: number): Buffer {
    const { kty, x, y, n, e } = this.#publicKey.export({ format: 'jwk' }) as Record<string, string>
    const bytes = (text: string | undefined) => Buffer.from(text!, 'base64url')
    if (kty === 'RSA') return cbor(new Map<unknown, unknown>([[1, 3], [3, algorithm ?? -257], [-1, bytes(n)], [-2, bytes(e)]]))
    if (kty === 'OKP') return cbor(new Map<unknown, unknown>([[1, 1], [3, algorithm ?? -8], [-1, 6], [-2, bytes(x)]]))
    return cbor(new Map<unknown, unknown>([[1, 2], [3, algorithm ?? -7], [-1, 1], [-2, bytes(x)], [-3, bytes(y)]]))
  }

  /** What `navigator.credentials.create` would give. */
  create (options: CreationOptions, wrong: Wrong = {}): RegistrationResponse {
    this.#userHandle = options.user.id
    const id = Buffer.from(this.id, 'base64url')
    const authData = Buffer.concat([this.#head(wrong.rpId ?? options.rp.id, (wrong.flags ?? SYNCED) | HAS_CREDENTIAL, wrong), AAGUID, uint16(id.length), id, this.coseKey(wrong.algorithm)])
    const { fmt, attStmt } = wrong.attestation ?? { fmt: 'none', attStmt: new Map() }
    return {
      ...this.#named(wrong),
      response: {
        clientDataJSON: this.#clientData('webauthn.create', options.challenge, wrong),
        attestationObject: cbor(new Map<unknown, unknown>([['fmt', fmt], ['attStmt', attStmt], ['authData', authData]])).toString('base64url'),
        transports: ['internal', 'hybrid'],
      },
    }
  }

  /** What `navigator.credentials.get` would give. */
  get (options: RequestOptions, wrong: Wrong = {}): AuthenticationResponse {
    const authData = this.#head(wrong.rpId ?? options.rpId, wrong.flags ?? SYNCED, wrong)
    const clientDataJSON = this.#clientData('webauthn.get', options.challenge, wrong)
    const signed = Buffer.concat([authData, createHash('sha256').update(Buffer.from(clientDataJSON, 'base64url')).digest()])
    return {
      ...this.#named(wrong),
      response: {
        clientDataJSON,
        authenticatorData: authData.toString('base64url'),
        signature: wrong.signature ?? sign(this.#algorithm === 'EdDSA' ? null : 'sha256', signed, this.#privateKey).toString('base64url'),
        ...(wrong.userHandle === undefined ? { userHandle: this.#userHandle! } : { userHandle: wrong.userHandle }),
      },
    }
  }

  #named ({ id = this.id }: Wrong) {
    return { id, rawId: id, type: 'public-key' as const, clientExtensionResults: {}, authenticatorAttachment: 'platform' }
  }

  #head (rpId: string, flags: number, { counter = this.counter }: Wrong): Buffer {
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags]), uint32(counter)])
  }

  #clientData (type: string, challenge: string, wrong: Wrong): string {
    const data = { type: wrong.type ?? type, challenge: wrong.challenge ?? challenge, origin: wrong.origin ?? this.#origin, crossOrigin: false, ...wrong.clientData }
    return Buffer.from(JSON.stringify(data)).toString('base64url')
  }
}

function keyPair (algorithm: Algorithm): { privateKey: KeyObject, publicKey: KeyObject } {
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  return algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** What of RFC 8949 an authenticator needs. */
export function cbor (value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)])
  const entries = [...value as Map<unknown, unknown>]
  return Buffer.concat([head(5, entries.length), ...entries.flat().map(cbor)])
}

function head (major: number, length: number): Buffer {
  const type = major << 5
  if (length < 24) return Buffer.from([type | length])
  return length < 256 ? Buffer.from([type | 24, length]) : Buffer.concat([Buffer.from([type | 25]), uint16(length)])
}

function uint16 (value: number): Buffer {
  return Buffer.from([value >> 8, value & 255])
}

function uint32 (value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
