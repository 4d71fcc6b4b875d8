// How a hash of a password is kept, in one text form for each kind, and which are too dear to be verified; holds no hashing.

/** A hash of bcrypt's, by its name of today. `of` is what it was given: the password, a digest of it (ours of a long one, or Django's), or its first 72 bytes, as other systems do. */
export interface BcryptHash { scheme: 'bcrypt', of: 'password' | 'hmac-sha384' | 'hex-sha256' | 'first-72', hash: string, cost: number }

/** RFC 9106. `memory` in KiB. */
export interface Argon2Hash { scheme: 'argon2', type: 'd' | 'i' | 'id', version: 16 | 19, memory: number, passes: number, lanes: number, salt: Uint8Array, digest: Uint8Array }

/** RFC 7914. The cost is 2 to the power of `logCost`. */
export interface ScryptHash { scheme: 'scrypt', logCost: number, blockSize: number, parallelism: number, salt: Uint8Array, digest: Uint8Array }

/** Firebase's own: scrypt makes the key by which a project's signer key is encrypted. */
export interface FirebaseHash { scheme: 'fbscrypt', logCost: number, blockSize: number, separator: Uint8Array, signerKey: Uint8Array, salt: Uint8Array, digest: Uint8Array }

/** RFC 8018, section 5.2. */
export interface Pbkdf2Hash { scheme: 'pbkdf2', algorithm: keyof typeof DIGEST_BYTES, iterations: number, salt: Uint8Array, digest: Uint8Array }

/** A hash that bcrypt did not make, as another system made it. */
export type ForeignHash = Argon2Hash | ScryptHash | FirebaseHash | Pbkdf2Hash
export type PasswordHash = BcryptHash | ForeignHash

/** Why a hash is not taken. */
export type HashRefusal = 'hash_unknown' | 'hash_malformed' | 'hash_too_dear'

export const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 }

/** The names of today's algorithm, of which those of other systems are older. */
const BCRYPT = /^\$2[abxy]?\$(\d\d)\$([./A-Za-z\d]{53})$/
const OLDER_BCRYPT = /^\$2x?\$/
const MARK = /^\$(hmac-sha384|hex-sha256|first-72)(?=\$2)/
const MIN_BCRYPT_COST = 4
/** Signet makes no dearer ones, and one alone would hold a thread for minutes. */
const MAX_BCRYPT_COST = 18

const BASE64 = /^[A-Za-z\d+/_.-]*={0,2}$/
const NUMBER = /^(?:0|[1-9]\d{0,9})$/
/** Shorter digests could be met by chance. Bytes. */
const MIN_DIGEST = 16
const MAX_BYTES = 256
/** Of what a thread needs for one hash: bytes of memory (256 MiB, and scrypt's little more), and bytes that it goes over in all, some seconds' work. */
const MAX_MEMORY = 257 * 2 ** 20
const MAX_MEMORY_WORK = 2 ** 32
const MAX_SCRYPT_WORK = 2 ** 31
/** Some seconds' work, in applications of HMAC. */
const MAX_PBKDF2_WORK = 10_000_000
/** RFC 9106, section 3.1. */
const MIN_ARGON2_SALT = 8

/** A hash as it is kept, or why it cannot be verified. */
export function readPasswordHash (text: string): PasswordHash | HashRefusal {
  const [mark, of = 'password'] = MARK.exec(text) ?? ['']
  if (text.startsWith('$2', mark.length)) return readBcrypt(text.slice(mark.length), of as BcryptHash['of'])
  const [first, scheme = '', ...rest] = text.split('$')
  if (first !== '') return 'hash_unknown'
  const hash = readForeign(scheme, rest)
  return typeof hash === 'string' ? hash : checkHash(hash)
}

/** The hash, if its members are of a size that hashes have, and a thread has time and memory to verify it; or why not. */
export function checkHash (hash: ForeignHash): ForeignHash | HashRefusal {
  if (!isSound(hash)) return 'hash_malformed'
  return isTooDear(hash) ? 'hash_too_dear' : hash
}

/** The one text for a hash; `readPasswordHash` reads it. */
export function writePasswordHash (hash: PasswordHash): string {
  const tail = () => `${toText((hash as ForeignHash).salt)}$${toText((hash as ForeignHash).digest)}`
  switch (hash.scheme) {
    case 'bcrypt': return `${hash.of === 'password' ? '' : `$${hash.of}`}${hash.hash}`
    case 'argon2': return `$argon2${hash.type}$v=${hash.version}$m=${hash.memory},t=${hash.passes},p=${hash.lanes}$${tail()}`
    case 'scrypt': return `$scrypt$ln=${hash.logCost},r=${hash.blockSize},p=${hash.parallelism}$${tail()}`
    case 'fbscrypt': return `$fbscrypt$v=1,n=${hash.logCost},r=${hash.blockSize},p=1,ss=${toText(hash.separator)},sk=${toText(hash.signerKey)}$${tail()}`
    case 'pbkdf2': return `$pbkdf2-${hash.algorithm}$i=${hash.iterations}$${tail()}`
  }
}

/** The bytes of a text in Base64 of any alphabet, padded or not; undefined if it is none. */
export function readBase64 (text: unknown): Buffer | undefined {
  return typeof text === 'string' && BASE64.test(text) ? Buffer.from(text.replaceAll('.', '+'), 'base64') : undefined
}

function isSound (hash: ForeignHash): boolean {
  const { salt, digest } = hash
  if (salt.length < 1 || salt.length > MAX_BYTES || digest.length < MIN_DIGEST || digest.length > MAX_BYTES) return false
  switch (hash.scheme) {
    case 'argon2': return salt.length >= MIN_ARGON2_SALT && hash.passes >= 1 && hash.lanes >= 1 && hash.lanes <= 255 && hash.memory >= 8 * hash.lanes
    case 'scrypt': return hash.logCost >= 1 && hash.blockSize >= 1 && hash.parallelism >= 1
    case 'fbscrypt': return hash.logCost >= 1 && hash.blockSize >= 1 && hash.separator.length <= MAX_BYTES && hash.signerKey.length === digest.length
    case 'pbkdf2': return hash.iterations >= 1
  }
}

function isTooDear (hash: ForeignHash): boolean {
  switch (hash.scheme) {
    case 'argon2': return hash.memory * 1024 > MAX_MEMORY || hash.memory * 1024 * hash.passes > MAX_MEMORY_WORK
    case 'scrypt': return isScryptTooDear(hash.logCost, hash.blockSize, hash.parallelism)
    case 'fbscrypt': return isScryptTooDear(hash.logCost, hash.blockSize, 1)
    case 'pbkdf2': return hash.iterations * Math.ceil(hash.digest.length / DIGEST_BYTES[hash.algorithm]) > MAX_PBKDF2_WORK
  }
}

function isScryptTooDear (logCost: number, blockSize: number, parallelism: number): boolean {
  const cost = 2 ** logCost
  return 128 * blockSize * (cost + parallelism) > MAX_MEMORY || 128 * blockSize * cost * parallelism > MAX_SCRYPT_WORK
}

// A hash of the name 2x is that of an error of crypt_blowfish's, and 2 that of the first bcrypt: neither is compared with here.
function readBcrypt (text: string, of: BcryptHash['of']): BcryptHash | HashRefusal {
  const [, digits, rest] = BCRYPT.exec(text) ?? []
  const cost = Number(digits)
  if (rest === undefined || cost < MIN_BCRYPT_COST || cost > 31) return 'hash_malformed'
  if (OLDER_BCRYPT.test(text)) return 'hash_unknown'
  return cost > MAX_BCRYPT_COST ? 'hash_too_dear' : { scheme: 'bcrypt', of, hash: `$2b$${digits!}$${rest}`, cost }
}

function readForeign (scheme: string, parts: string[]): ForeignHash | HashRefusal {
  const type = /^argon2(d|i|id)$/.exec(scheme)?.[1] as Argon2Hash['type'] | undefined
  if (type) return readArgon2(type, parts)
  const algorithm = /^pbkdf2(?:-(sha1|sha256|sha512))?$/.exec(scheme)
  if (algorithm) return readPbkdf2((algorithm[1] ?? 'sha1') as Pbkdf2Hash['algorithm'], parts)
  if (scheme === 'scrypt') return readScrypt(parts)
  return scheme === 'fbscrypt' ? readFirebase(parts) : 'hash_unknown'
}

function readArgon2 (type: Argon2Hash['type'], parts: string[]): Argon2Hash | HashRefusal {
  // Without a version it is of the first that was released.
  const [version, parameters, ...bytes] = parts[0]?.startsWith('v=') ? parts : ['v=16', ...parts]
  const { m, t, p, ...others } = readNumbers(parameters)
  const tail = readBytes(bytes)
  if (!tail || m === undefined || t === undefined || p === undefined || Object.keys(others).length > 0) return 'hash_malformed'
  if (version !== 'v=16' && version !== 'v=19') return 'hash_unknown'
  return { scheme: 'argon2', type, version: version === 'v=16' ? 16 : 19, memory: m, passes: t, lanes: p, ...tail }
}

// The cost is `ln` in most places, and `n` in some of Node's packages.
function readScrypt ([parameters, ...bytes]: string[]): ScryptHash | HashRefusal {
  const { ln, n, r, p } = readNumbers(parameters)
  const [logCost, tail] = [ln ?? n, readBytes(bytes)]
  if (!tail || logCost === undefined || r === undefined || p === undefined) return 'hash_malformed'
  return { scheme: 'scrypt', logCost, blockSize: r, parallelism: p, ...tail }
}

function readFirebase ([parameters = '', ...bytes]: string[]): FirebaseHash | HashRefusal {
  const [, numbers, separatorText, keyText] = /^(v=1,n=\d+,r=\d+,p=1),ss=([^,]*),sk=([^,]*)$/.exec(parameters) ?? []
  const { n, r } = readNumbers(numbers)
  const [tail, separator, signerKey] = [readBytes(bytes), readBase64(separatorText), readBase64(keyText)]
  if (!tail || !separator || !signerKey || n === undefined || r === undefined) return 'hash_malformed'
  return { scheme: 'fbscrypt', logCost: n, blockSize: r, separator, signerKey, ...tail }
}

// The iterations are named in PHC's form, and stand alone in passlib's.
function readPbkdf2 (algorithm: Pbkdf2Hash['algorithm'], [parameters = '', ...bytes]: string[]): Pbkdf2Hash | HashRefusal {
  const { i, l } = readNumbers(NUMBER.test(parameters) ? `i=${parameters}` : parameters)
  const tail = readBytes(bytes)
  if (!tail || i === undefined || (l !== undefined && l !== tail.digest.length)) return 'hash_malformed'
  return { scheme: 'pbkdf2', algorithm, iterations: i, ...tail }
}

function readBytes (parts: string[]): { salt: Buffer, digest: Buffer } | undefined {
  const [salt, digest] = parts.map(readBase64)
  return parts.length === 2 && salt && digest ? { salt, digest } : undefined
}

/** `m=1,t=2` as its numbers; what is none is left out. */
function readNumbers (parameters = ''): Partial<Record<string, number>> {
  const pairs = parameters.split(',').map(parameter => parameter.split('='))
  return Object.fromEntries(pairs.filter(([, value = '']) => NUMBER.test(value)).map(([name, value]) => [name, Number(value)]))
}

function toText (bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}
