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

/** What may stand beside the password at a log-in, by its name in an answer. */
export const METHODS = ['totp', 'passkey', 'recovery_code'] as const
export type Method = typeof METHODS[number]

/** Which of them somebody has; recovery codes are in the stead of another. */
export function methodsOf (factors: Factors | undefined): Method[] {
  if (!factors || !hasFactor(factors)) return []
  const there = { totp: factors.totp !== undefined, passkey: factors.passkeys.length > 0, recovery_code: factors.recoveryCodes.length > 0 }
  return METHODS.filter(method => there[method])
}

/** As many as are kept of what was used: those that are over last. */
const MAX_SPENT = 100

/** Factors in which this was used and may not be again; what is over is dropped. `now` in milliseconds. */
export function spend (factors: Factors, spent: Spent, now: number): Factors {
  const others = factors.spent.filter(({ id, until }) => id !== spent.id && until > now)
  return { ...factors, spent: [...others, spent].sort((one, other) => one.until - other.until).slice(-MAX_SPENT) }
}

/** Whether this was used already. Where as many are kept as may, so was whatever is over no later than they: it may be what had to go. */
export function isSpent (factors: Factors | undefined, { id, until }: Spent): boolean {
  const spent = factors?.spent ?? []
  return spent.some(one => one.id === id) || (spent.length >= MAX_SPENT && until <= spent[0]!.until)
}

/** What is to be of the members that it has. */
export type FactorChange = Partial<Omit<Factors, 'version' | 'totp'>> & { totp?: Totp | undefined }

/** The next version of somebody's factors, with what is changed; without a factor there are no recovery codes. */
export function changed (factors: Factors | undefined, change: FactorChange): Factors {
  const { totp, ...rest } = { passkeys: [], recoveryCodes: [], spent: [], ...factors, ...change, version: versionOf(factors) + 1 }
  const next: Factors = { ...rest, ...(totp && { totp }) }
  return hasFactor(next) ? next : { ...next, recoveryCodes: [] }
}
