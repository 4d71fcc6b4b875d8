// What a browser answers of a passkey, read and verified by W3C Web Authentication, Level 3, sections 7.1 and 7.2; holds no user, no challenge and no storage.
import { ALGORITHMS, isUsableKey } from '../core/cose-keys.js'
import type { Passkey } from '../core/factors.js'
import { readUuid, UUID_BYTES, writeUuid } from '../core/uuids.js'

/** Where passkeys are made and used (section 5.4.2): only the pages of these origins may, and only those of the id's host or below it are let by browsers. */
export interface RelyingParty { id: string, origins: string[] }

/** A passkey as a browser names one to its authenticators (section 5.8.3). */
export interface Descriptor { type: 'public-key', id: string, transports: string[] }

/** What a browser makes a passkey by, as `PublicKeyCredential.parseCreationOptionsFromJSON` reads it (section 5.4); `timeout` in milliseconds. */
export interface CreationOptions {
  rp: { id: string, name: string }
  user: { id: string, name: string, displayName: string }
  challenge: string
  pubKeyCredParams: Array<{ type: 'public-key', alg: number }>
  timeout: number
  excludeCredentials: Descriptor[]
  authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' }
  attestation: 'none'
}

/** What a browser uses one by, as `PublicKeyCredential.parseRequestOptionsFromJSON` reads it (section 5.5); `timeout` in milliseconds. Without credentials the person chooses one. */
export interface RequestOptions { challenge: string, rpId: string, timeout: number, allowCredentials: Descriptor[], userVerification: 'required' }

/** A passkey that was made, as `PublicKeyCredential.toJSON` writes it (section 5.5). Binary members are in base64url. */
export interface RegistrationResponse {
  id: string
  rawId: string
  type: 'public-key'
  response: { clientDataJSON: string, attestationObject: string, transports?: string[] }
}

/** What one signed (section 5.6). `userHandle` is whose it is, where the authenticator knows. */
export interface AuthenticationResponse {
  id: string
  rawId: string
  type: 'public-key'
  response: { clientDataJSON: string, authenticatorData: string, signature: string, userHandle?: string | null }
}

/** What a verified passkey is kept with; and what is kept of each use. */
export type MadePasskey = Pick<Passkey, 'id' | 'publicKey' | 'counter' | 'transports' | 'isBackedUp'>
export type UsedPasskey = Pick<Passkey, 'counter' | 'isBackedUp'>

/** Of a key in COSE with nothing in it but the key: the longest is one of RSA. */
const MAX_KEY_BYTES = 600

/** That of an issuer, whose pages may use passkeys, and those of these other origins. Browsers know no passkeys where the host is an address. */
export function relyingPartyOf (issuer: string, origins: string[]): RelyingParty {
  const { hostname, origin } = new URL(issuer)
  return { id: hostname, origins: [origin, ...origins] }
}

export function describe ({ id, transports }: Passkey): Descriptor {
  return { type: 'public-key', id, transports }
}

/** What an authenticator keeps of whose a passkey is: the id of the user, which is nothing personal (section 14.6.1), in base64url. */
export function handleOf (userId: string): string {
  const bytes = Buffer.alloc(UUID_BYTES)
  writeUuid(userId, bytes, 0)
  return bytes.toString('base64url')
}

/** The id of the user that a handle names; undefined of what is none. */
export function userOfHandle (handle: string | null | undefined): string | undefined {
  const bytes = Buffer.from(handle ?? '', 'base64url')
  return bytes.length === UUID_BYTES ? readUuid(bytes, 0) : undefined
}

/** The challenge of what a page of ours had signed; '' where it was none of ours. */
export function challengeOf (clientDataJSON: string, rp: RelyingParty): string {
  const { challenge, crossOrigin, origin } = readJson(clientDataJSON)
  // Within a frame of somebody else's page nobody sees whom they deal with (section 13.4.9).
  return crossOrigin !== true && typeof challenge === 'string' && rp.origins.includes(origin as string) ? challenge : ''
}

function readJson (encoded: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(encoded, 'base64url').toString())) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** The passkey that was made for this challenge; undefined where the answer is not what section 7.1 wants. What says which device it was is not asked for, and not looked at. */
export async function readRegistration (answer: RegistrationResponse, challenge: string, { id, origins }: RelyingParty): Promise<MadePasskey | undefined> {
  const [{ verifyRegistrationResponse }, { decodeAttestationObject, decodeCredentialPublicKey, isoCBOR }] = await Promise.all([import('@simplewebauthn/server'), import('@simplewebauthn/server/helpers')])
  return await undefinedOfFault(async () => {
    const attestation = decodeAttestationObject(Buffer.from(answer.response.attestationObject, 'base64url')) as unknown as Map<string, unknown>
    // A statement about the device would be verified by certificates that come with it, and that name addresses to ask.
    attestation.set('fmt', 'none').set('attStmt', new Map())
    const attestationObject = Buffer.from(isoCBOR.encode(attestation as Parameters<typeof isoCBOR.encode>[0])).toString('base64url')
    const { registrationInfo } = await verifyRegistrationResponse({
      response: { ...answer, response: { ...answer.response, attestationObject, transports: [] }, clientExtensionResults: {} },
      expectedChallenge: challenge, expectedOrigin: origins, expectedRPID: id, requireUserVerification: true, supportedAlgorithmIDs: ALGORITHMS,
    })
    const { credential: { id: made, publicKey, counter }, credentialBackedUp } = registrationInfo!
    // The library takes a key as it comes.
    if (made !== answer.id || publicKey.length > MAX_KEY_BYTES || !isUsableKey(decodeCredentialPublicKey(publicKey) as unknown as Map<number, unknown>)) return undefined
    return { id: answer.id, publicKey: Buffer.from(publicKey).toString('base64url'), counter, transports: answer.response.transports ?? [], isBackedUp: credentialBackedUp }
  })
}

/** What a passkey's signature of this challenge says; undefined where it is not what section 7.2 wants. Whether its counter went on is not looked at. */
export async function readAssertion (answer: AuthenticationResponse, challenge: string, passkey: Passkey, { id, origins }: RelyingParty): Promise<UsedPasskey | undefined> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  return await undefinedOfFault(async () => {
    const { clientDataJSON, authenticatorData, signature } = answer.response
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...answer, response: { clientDataJSON, authenticatorData, signature }, clientExtensionResults: {} },
      // Of an older counter the library says so before it has looked at the signature.
      credential: { id: passkey.id, publicKey: Buffer.from(passkey.publicKey, 'base64url'), counter: 0 },
      expectedChallenge: challenge, expectedOrigin: origins, expectedRPID: id, requireUserVerification: true,
    })
    return verified ? { counter: authenticationInfo.newCounter, isBackedUp: authenticationInfo.credentialBackedUp } : undefined
  })
}

/** Whether a counter shows that there is a copy of the passkey (section 6.1.1): it went back, or stood still, where it was counted before. */
export function isCopied ({ counter }: Pick<Passkey, 'counter'>, used: UsedPasskey): boolean {
  return counter > 0 && used.counter <= counter
}

// The library throws where an answer is not as it should be, whatever of it.
async function undefinedOfFault<Result> (read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read()
  } catch {
    return undefined
  }
}
