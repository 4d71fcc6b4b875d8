// Hashes as other systems write them, each made into the one that is kept; holds no hashing and no user.
import { checkHash, readBase64, readPasswordHash, type HashRefusal, type PasswordHash, type Pbkdf2Hash } from '../password-hashes.js'

/** The hash that a text of PHC's form, bcrypt's, passlib's, GoTrue's or Django's stands for; or why it cannot be verified. */
export function readForeignHash (text: string): PasswordHash | HashRefusal {
  if (text.startsWith('$')) return asForeign(readPasswordHash(text))
  const at = text.indexOf('$')
  return at < 0 ? 'hash_unknown' : readDjango(text.slice(0, at), text.slice(at + 1))
}

// Where bcrypt is given a password as it is, it stops after 72 bytes: whoever has a longer one must get in with all of it.
function asForeign (hash: PasswordHash | HashRefusal): PasswordHash | HashRefusal {
  return typeof hash !== 'string' && hash.scheme === 'bcrypt' && hash.of === 'password' ? { ...hash, of: 'first-72' } : hash
}

function readDjango (algorithm: string, rest: string): PasswordHash | HashRefusal {
  switch (algorithm) {
    case 'pbkdf2_sha256': return readDjangoPbkdf2('sha256', rest)
    case 'pbkdf2_sha1': return readDjangoPbkdf2('sha1', rest)
    case 'scrypt': return readDjangoScrypt(rest)
    case 'argon2': return readPasswordHash(`$${rest}`)
    case 'bcrypt': return asForeign(readPasswordHash(rest))
    case 'bcrypt_sha256': return readPasswordHash(`$hex-sha256${rest}`)
    default: return 'hash_unknown'
  }
}

/** Its salts are text. */
function readDjangoPbkdf2 (algorithm: Pbkdf2Hash['algorithm'], rest: string): PasswordHash | HashRefusal {
  const [, iterations, salt, hash] = /^(\d{1,10})\$([^$]+)\$([^$]+)$/.exec(rest) ?? []
  const digest = readBase64(hash)
  return digest ? checkHash({ scheme: 'pbkdf2', algorithm, iterations: Number(iterations), salt: Buffer.from(salt!), digest }) : 'hash_malformed'
}

function readDjangoScrypt (rest: string): PasswordHash | HashRefusal {
  const [, cost, salt, blockSize, parallelism, hash] = /^(\d{1,10})\$([^$]+)\$(\d{1,5})\$(\d{1,5})\$([^$]+)$/.exec(rest) ?? []
  const digest = readBase64(hash)
  const logCost = Math.log2(Number(cost))
  if (!digest || !Number.isInteger(logCost)) return 'hash_malformed'
  return checkHash({ scheme: 'scrypt', logCost, blockSize: Number(blockSize), parallelism: Number(parallelism), salt: Buffer.from(salt!), digest })
}
