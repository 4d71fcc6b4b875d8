// What runs in the hashing threads, synchronously, so that their low priority holds: a hash is made, or compared with; no queue, no policy.
import bcrypt from 'bcrypt'
import { isForeign, kindOf, spendAs, workOf } from './foreign-hashes.js'

/** @typedef {import('../core/password-hashes.js').ForeignHash} ForeignHash */
/** @typedef {import('../core/password-hashes.js').PasswordHash} PasswordHash */

/**
 * @typedef {object} Making
 * @property {string} password
 * @property {number} cost
 */

/**
 * @typedef {object} Comparing
 * @property {string[]} spellings what may be the password: whatever the hash's scheme is given of it
 * @property {PasswordHash | undefined} hash undefined: nobody's
 * @property {number} spellingsTyped how many spellings there may be of what was typed, whichever hash it is compared with
 * @property {{ bcryptCost: number, foreign: ForeignHash[] }} refusal what a refusal costs for each of them: as much as a hash of this cost, and as these, one of a kind
 */

/**
 * @param {Making | Comparing} task
 * @returns {string | boolean} the new hash, or whether a spelling is the hash's
 */
export default function work (task) {
  if ('password' in task) return bcrypt.hashSync(task.password, task.cost)
  const { spellings, hash } = task
  if (hash && spellings.some(spelling => isIts(spelling, hash))) return true
  const left = workLeft(task)
  spendBcrypt(left.bcrypt)
  for (const { dearest, work } of left.foreign) spendAs(dearest, work)
  return false
}

/**
 * What a refusal takes more than was spent on the hash, of each kind.
 * @param {Comparing} task
 */
export function workLeft ({ spellings, hash, spellingsTyped, refusal }) {
  const met = hash && hash.scheme !== 'bcrypt' ? hash : undefined
  const spentOn = (/** @type {ForeignHash} */ dearest) => met && kindOf(met) === kindOf(dearest) ? spellings.length * workOf(met) : 0
  return {
    bcrypt: spellingsTyped * 2 ** refusal.bcryptCost - (hash?.scheme === 'bcrypt' ? spellings.length * 2 ** hash.cost : 0),
    foreign: refusal.foreign.map(dearest => ({ dearest, work: spellingsTyped * workOf(dearest) - spentOn(dearest) })),
  }
}

/**
 * @param {string} spelling
 * @param {PasswordHash} hash
 */
function isIts (spelling, hash) {
  return hash.scheme === 'bcrypt' ? bcrypt.compareSync(spelling, hash.hash) : isForeign(spelling, hash)
}

/**
 * A step of the cost doubles the work, so one hash for each binary digit makes it up.
 * @param {number} work
 */
function spendBcrypt (work) {
  for (let step = 4; 2 ** step <= work; step++) if (work & 2 ** step) bcrypt.hashSync('', step)
}
