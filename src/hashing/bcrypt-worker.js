// What runs in the hashing threads: bcrypt, synchronously, so that the threads' low priority holds; no queue, no policy.
import bcrypt from 'bcrypt'

/**
 * @param {{ password: string, cost: number } | { password: string, hash: string }} task
 * @returns {string | boolean} the new hash, or whether the password is the hash's
 */
export default function work (task) {
  if ('hash' in task) return bcrypt.compareSync(task.password, task.hash)
  return bcrypt.hashSync(task.password, task.cost)
}
