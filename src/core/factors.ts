// What a user has beside the password to prove who it is, as it is kept; holds no seed in clear, no code that passes, and no storage.

/** A credential of WebAuthn. Times in milliseconds. */
export interface Passkey {
  /** Of the credential, in base64url. */
  id: string
  /** COSE, in base64url. */
  publicKey: string
  /** Of its signatures, where the authenticator counts them; else 0. */
  counter: number
  transports: string[]
  /** What the user calls it. */
  name: string
  addedAt: number
  lastUsedAt: number | null
  /** Whether it is kept beyond the device, too. */
  isBackedUp: boolean
}

/** An authenticator app (RFC 6238). `seed` is sealed; `lastStep` is the time step whose code was used last, and no code of it or of one before is good. `addedAt` in milliseconds. */
export interface Totp { seed: string, addedAt: number, lastStep: number }

/** What was used and may not be used again until it is good no more anyway, in milliseconds. */
export interface Spent { id: string, until: number }

/** All of a user's. Each change is conditional on the version, which is one more afterwards. */
export interface Factors {
  version: number
  totp?: Totp
  passkeys: Passkey[]
  /** SHA-256 of those that are unused, in base64url. */
  recoveryCodes: string[]
  spent: Spent[]
}

/** The version of somebody's factors; 0 where there never were any. */
export function versionOf (factors: Factors | undefined): number {
  return factors?.version ?? 0
}

/** Whether the password alone lets nobody in. */
export function hasFactor (factors: Factors | undefined): boolean {
  return factors !== undefined && (factors.totp !== undefined || factors.passkeys.length > 0)
}
