// How a program in Node.js goes through steps and says of each what came of it, and the person whom it sends to Signet; holds no step.
import assert from 'node:assert/strict'

const { PERSON = '', CLIENTS = '{}' } = process.env

/** The clients by their names. @type {Record<'web' | 'post' | 'key' | 'public' | 'ours' | 'service', { client_id: string, client_secret?: string, jwk?: JsonWebKey & { kid: string } }>} */
export const clients = JSON.parse(CLIENTS)

/** Where the browser ends that is sent to an address. @param {string} address @param {string} [decision] @returns {Promise<URL>} */
export async function browse (address, decision = 'allow') {
  const response = await fetch(`${PERSON}?decision=${decision}`, { method: 'POST', body: address })
  const text = await response.text()
  if (response.status !== 200) throw new Error(text)
  return new URL(text)
}

/** Takes each step, whatever came of the one before. @param {Record<string, () => Promise<unknown>>} steps @returns {Promise<void>} */
export async function take (steps) {
  for (const [name, step] of Object.entries(steps)) {
    const outcome = await step().then(() => `passed ${name}`, error => `failed ${name}: ${describe(error)}`)
    process.stdout.write(`${outcome}\n`)
  }
}

/** Throws unless the call is refused by this code, wherever the library has put it. @param {Promise<unknown>} call @param {string} code @returns {Promise<void>} */
export async function refused (call, code) {
  const error = await call.then(value => new Error(`was answered with ${JSON.stringify(value)}`), reason => reason)
  if (!describe(error).includes(code)) throw error
}

/** Throws unless both are the same. @param {unknown} actual @param {unknown} expected @returns {void} */
export function same (actual, expected) {
  assert.deepEqual(actual, expected)
}

/** @param {any} error @returns {string} */
function describe (error) {
  const { message, error: code, error_description: description, cause } = error
  return [message, code, description, cause && JSON.stringify(cause instanceof Error ? describe(cause) : cause)].filter(Boolean).join('; ').replace(/\s+/g, ' ').slice(0, 500)
}
