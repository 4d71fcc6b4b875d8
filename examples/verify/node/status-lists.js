// Looks up in Signet's status lists whether a token's log-in was closed (draft-ietf-oauth-status-list-21); holds no rule of the token itself.
import { once } from 'node:events'
import { inflateSync } from 'node:zlib'
import { jwtVerify } from 'jose'

const LONGEST_ANSWER = 16 * 2 ** 20
const LARGEST_LIST = 8 * 2 ** 20
const TIMEOUT_MS = 5_000
const PAUSE_MS = 1_000
/** Seconds. */
const DEFAULT_TTL = 10
const LONGEST_TTL = 300
const CLOCK_TOLERANCE = 300

/**
 * A function from the claims of a token, whose signature must have been verified. It throws where the log-in behind the token was closed.
 * `keys` are those of the tokens. A list is kept for its `ttl`; @signet/verifier also renews it ahead of time, so that nobody waits.
 */
export function createStatusCheck ({ jwksUrl, issuer, keys }) {
  const origin = issuer.replace(/\/$/, '')
  const base = jwksUrl.replace('/.well-known/jwks.json', '')
  const lists = new Map()

  return async claims => {
    const { idx, uri } = readReference(claims) ?? {}
    if (uri === undefined) return
    const list = await lookUp(uri)
    // Without a list the token is good, so that an outage of Signet is none of yours. With @signet/verifier that is an option.
    if (list.bits === undefined) return
    if (idx >= list.bits.length * 8) throw new Error('the status index is beyond the list')
    // A list whose renewal fails still counts here: what it says was closed stays closed.
    if (list.bits[idx >> 3] >> (idx & 7) & 1) throw new Error('the token was revoked')
  }

  function readReference ({ status }) {
    if (status === undefined) return
    if (!isObject(status)) throw new Error('the status is no object')
    // Other mechanisms than lists are not ours.
    if (!('status_list' in status)) return
    const { idx, uri } = Object(status.status_list)
    // Only Signet's own lists: nothing is fetched from elsewhere.
    const isOurs = typeof uri === 'string' && uri.startsWith(origin) && /^\/status-lists\/[0-9]+$/.test(uri.slice(origin.length))
    if (!isOurs || !Number.isSafeInteger(idx) || idx < 0) throw new Error('the status has another form')
    return { idx, uri }
  }

  async function lookUp (uri) {
    const list = lists.get(uri) ?? { until: 0 }
    lists.set(uri, list)
    // All that need it wait for one fetch.
    if (performance.now() >= list.until) list.fetching ??= renew(uri, list).finally(() => { list.fetching = undefined })
    await list.fetching
    return list
  }

  async function renew (uri, list) {
    const start = performance.now()
    const deadline = AbortSignal.timeout(TIMEOUT_MS)
    try {
      // The signal alone does not do: a body in another coding than it says never ends in Node.js 20.
      Object.assign(list, await Promise.race([fetchList(uri, deadline), once(deadline, 'abort').then(() => { throw deadline.reason })]))
      list.until = start + list.ttl * 1000
    } catch (error) {
      console.error(`${uri} could not be fetched, so what was closed since is not seen: ${error.message}`)
      // Soon, for closings go unseen; but where a failure takes long, tokens must not wait most of the time.
      const failed = performance.now()
      list.until = failed + Math.max(PAUSE_MS, 2 * (failed - start))
    }
  }

  async function fetchList (uri, signal) {
    const response = await fetch(base + uri.slice(origin.length), { redirect: 'error', signal })
    if (response.status !== 200) {
      // A body that nobody reads would hold its connection.
      await response.body?.cancel()
      throw new Error(`the answer was ${response.status}`)
    }
    const expected = { algorithms: ['RS256'], typ: 'statuslist+jwt', issuer, subject: uri, requiredClaims: ['exp', 'iat'] }
    const { iat, ttl = DEFAULT_TTL, status_list: list } = (await jwtVerify(await readText(response, signal), keys, expected)).payload
    if (iat > Date.now() / 1000 + CLOCK_TOLERANCE) throw new Error('the list was issued in the future')
    if (typeof ttl !== 'number' || ttl <= 0) throw new Error('the ttl is no positive number')
    if (!isObject(list) || list.bits !== 1 || typeof list.lst !== 'string') throw new Error('the list has another form')
    return {
      bits: inflateSync(Buffer.from(list.lst, 'base64url'), { maxOutputLength: LARGEST_LIST }),
      ttl: Math.min(Math.max(ttl, 1), LONGEST_TTL),
    }
  }
}

function isObject (value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function readText (response, signal) {
  const reader = response.body.getReader()
  // Node.js may forget the signal of a fetch whose head has come; then the connection would stay for as long as something drips.
  signal.addEventListener('abort', () => { reader.cancel().catch(() => {}) })
  const chunks = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks).toString()
    length += value.length
    if (length > LONGEST_ANSWER) {
      await reader.cancel()
      throw new Error('the answer is too long')
    }
    chunks.push(value)
  }
}
