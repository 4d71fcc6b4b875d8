// What runs in the hashing threads: bcrypt, synchronously, so that the threads' low priority holds; no queue, no policy.
import bcrypt from 'bcrypt'

/**
 * @param {{ password: string, cost: number, hash?: string }} task a hash is to be made at the cost, or compared with; `cost` is at least the hash's
 * @returns {string | boolean} the new hash, or whether the password is the hash's
 */
export default function work ({ password, cost, hash }) {
  if (hash === undefined) return bcrypt.hashSync(password, cost)
  const isRight = bcrypt.compareSync(password, hash)
  if (!isRight) spend(bcrypt.getRounds(hash), cost)
  return isRight
}

/**
 * Spends what a comparison at `cost` takes more than one at `spent`. A step of the cost doubles the work, so one hash of each step fills it up.
 * @param {number} spent
 * @param {number} cost
 */
function spend (spent, cost) {
  for (let step = spent; step < cost; step++) bcrypt.hashSync('', step)
}
