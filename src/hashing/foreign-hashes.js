// Hashes of other systems, made synchronously in the hashing threads, and the work that each is; holds no bcrypt and no policy.
import { createCipheriv, pbkdf2Sync, scryptSync, timingSafeEqual } from 'node:crypto'
import { createRequire } from 'node:module'

/** @typedef {import('../core/password-hashes.js').ForeignHash} ForeignHash */
/** @typedef {import('../core/password-hashes.js').Argon2Hash} Argon2Hash */

const ARGON2_TYPES = { d: 0, i: 1, id: 2 }
const ARGON2_VERSIONS = { 16: 0, 19: 1 }
const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 }
const require = createRequire(import.meta.url)

/**
 * Whether the password is the hash's.
 * @param {string} password
 * @param {ForeignHash} hash
 */
export function isForeign (password, hash) {
  return timingSafeEqual(derive(password, hash), hash.digest)
}

/**
 * What hashes have in common that take the same kind of work.
 * @param {ForeignHash} hash
 */
export function kindOf (hash) {
  if (hash.scheme === 'pbkdf2') return hash.algorithm
  return hash.scheme === 'argon2' ? 'argon2' : 'scrypt'
}

/**
 * The work of verifying one hash, in units of its kind: KiB gone over, blocks mixed, or HMACs.
 * @param {ForeignHash} hash
 */
export function workOf (hash) {
  switch (hash.scheme) {
    case 'argon2': return hash.memory * hash.passes
    case 'pbkdf2': return hash.iterations * Math.ceil(hash.digest.length / DIGEST_BYTES[hash.algorithm])
    default: return hash.blockSize * 2 ** hash.logCost * (hash.scheme === 'scrypt' ? hash.parallelism : 1)
  }
}

/**
 * Spends so much work as a hash takes it, or as nearly as can be.
 * @param {ForeignHash} hash
 * @param {number} work
 * @returns {number} how much is left
 */
export function spendAs (hash, work) {
  const part = work > 0 ? partOf(hash, work) : undefined
  if (!part) return work
  derive('', part)
  return spendAs(hash, work - workOf(part))
}

/**
 * The hash with at most so much work, but for passes and lanes one after the other; undefined where that is next to nothing.
 * @param {ForeignHash} hash
 * @param {number} work
 * @returns {ForeignHash | undefined}
 */
function partOf (hash, work) {
  switch (hash.scheme) {
    case 'argon2': {
      const memory = Math.min(hash.memory, work)
      return memory < 8 * hash.lanes ? undefined : { ...hash, memory, passes: Math.floor(work / memory) }
    }
    case 'pbkdf2': return { ...hash, iterations: work, digest: hash.digest.subarray(0, DIGEST_BYTES[hash.algorithm]) }
    default: {
      const { blockSize, salt, digest } = hash
      const logCost = Math.min(hash.logCost, Math.floor(Math.log2(work / blockSize)))
      return logCost < 1 ? undefined : { scheme: 'scrypt', logCost, blockSize, parallelism: Math.floor(work / (blockSize * 2 ** logCost)), salt, digest }
    }
  }
}

/**
 * @param {string} password
 * @param {ForeignHash} hash
 * @returns {Buffer}
 */
function derive (password, hash) {
  switch (hash.scheme) {
    case 'argon2': return deriveArgon2(password, hash)
    case 'scrypt': return deriveScrypt(password, hash.salt, hash, hash.parallelism, hash.digest.length)
    case 'pbkdf2': return pbkdf2Sync(password, hash.salt, hash.iterations, hash.digest.length, hash.algorithm)
    case 'fbscrypt': {
      const key = deriveScrypt(password, Buffer.concat([hash.salt, hash.separator]), hash, 1, 32)
      return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(hash.signerKey)
    }
  }
}

/**
 * @param {string} password
 * @param {Uint8Array} salt
 * @param {{ logCost: number, blockSize: number }} cost
 * @param {number} parallelism
 * @param {number} length
 */
function deriveScrypt (password, salt, { logCost, blockSize }, parallelism, length) {
  const cost = 2 ** logCost
  return scryptSync(password, salt, length, { cost, blockSize, parallelization: parallelism, maxmem: 128 * blockSize * (cost + parallelism + 2) })
}

/**
 * @param {string} password
 * @param {Argon2Hash} hash
 */
function deriveArgon2 (password, { type, version, memory, passes, lanes, salt, digest }) {
  /** @type {typeof import('@node-rs/argon2')} Loaded by the first that needs it: most have no such hashes. */
  const { hashRawSync } = require('@node-rs/argon2')
  return hashRawSync(password, { algorithm: ARGON2_TYPES[type], version: ARGON2_VERSIONS[version], memoryCost: memory, timeCost: passes, parallelism: lanes, outputLen: digest.length, salt })
}
