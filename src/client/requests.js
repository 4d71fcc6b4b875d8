// How the parts of the client beside the first ask as who is signed in, and what proves that it is them; holds no session and no route.
import { SignetError } from './client.js'

/** @typedef {import('./client.js').Client} Client */
/** @typedef {{ currentPassword?: string | undefined, code?: string | undefined }} Proof  For a log-in that is older than ten minutes: the password, and where the account has a second factor a `code`, of the app or a recovery code. */

/** An answer is awaited for so long, in milliseconds. */
const ANSWER_MS = 15_000

/** As Signet's routes have it. @param {Proof} [proof] */
export function toProof ({ currentPassword, code } = {}) {
  return { ...(currentPassword !== undefined && { current_password: currentPassword }), ...(code !== undefined && { code }) }
}

/**
 * Asks one of Signet's routes as who is signed in, and answers its body. Throws a SignetError where it refused, or nothing or something else answered.
 * @param {Client} client @param {'GET' | 'POST' | 'PATCH' | 'DELETE'} method @param {string} path @param {object} [body] @returns {Promise<any>}
 */
export async function askAsUser (client, method, path, body) {
  const init = { method, signal: AbortSignal.timeout(ANSWER_MS), ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) }
  const response = await client.fetch(path, init).catch(error => { throw error instanceof SignetError ? error : new SignetError({ code: 'unreachable', detail: 'Signet cannot be reached. Check the connection and try again.' }) })
  if (!response.ok) throw await SignetError.from(response)
  if (response.status === 204) return undefined
  return await response.json().catch(() => { throw new SignetError({ code: 'unexpected', detail: 'Something other than Signet answered. Check the connection and try again.' }, response.status) })
}
