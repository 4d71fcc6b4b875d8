// The client of Signet for browsers (`signet/client`): one session over all tabs. Holds the access token in memory alone, and never sees a refresh token.

/**
 * @typedef {{ id: string, email: string, name: string | null, created_at: string }} User
 * @typedef {{ field: string, detail: string }} FieldError
 * @typedef {'unknown' | 'signed-in' | 'signed-out'} Status  It is unknown until the first request asked Signet.
 * @typedef {{ status: Status, reason?: 'logged-out' | 'ended' | 'absent' }} Change  Why nobody is signed in: by log-out, for the session ended, or there was none.
 * @typedef {{ detail?: string, code?: string, errors?: FieldError[], request_id?: string }} Problem
 * @typedef {{ status: number, retryAfter: number | undefined, body: unknown }} Answer  `retryAfter` in seconds.
 * @typedef {{ token: string, at: number, life: number }} Held  `at` is the wall clock's and `life` as long as it lasts, both in milliseconds.
 * @typedef {{ kind: 'token' | 'login', held: Held } | { kind: 'ended', reason: 'logged-out' | 'ended' } | { kind: 'ask' | 'busy' | 'free' }} Word  What tabs say to each other.
 */

/** A lost answer is asked for again for so long, well within Signet's REFRESH_GRACE. */
const PATIENCE_MS = 12_000
const FIRST_PAUSE_MS = 250
/** How long a tab that waited for its turn listens for a token that another has. */
const ASK_MS = 250
/** Browsers blur the clock, each tab's by itself, but by less than this. */
const BLUR_MS = 1_000
/** The share of a token's life after which it is refreshed. */
const DUE = 0.9

/** Why Signet refused, with its `code`, its sentence as `message`, and for bad input `errors`, one a field. Code `unreachable`: it did not answer. */
export class SignetError extends Error {
  /** @param {Problem} problem @param {number} [status] @param {number} [retryAfter] in seconds */
  constructor (problem, status = 0, retryAfter) {
    super(problem.detail ?? `Signet answered ${status}.`)
    this.name = 'SignetError'
    this.code = problem.code ?? 'unexpected'
    this.status = status
    this.errors = problem.errors ?? []
    this.retryAfter = retryAfter
    this.requestId = problem.request_id
  }

  /** The error that a refusal holds. @param {Response} response */
  static async from (response) {
    return toError(await read(response))
  }
}

/**
 * @param {object} options
 * @param {string} options.baseUrl  Where Signet is.
 * @param {string[]} [options.origins]  Origins of your services, which `fetch` may show the access token beside Signet and the page's own.
 * @param {number} [options.timeout]  Milliseconds after which an answer is taken for lost.
 */
export function createClient ({ baseUrl, origins = [], timeout = 8_000 }) {
  const here = globalThis.location?.href
  const base = new URL(baseUrl.replace(/\/*$/, '/'), here)
  const mayKnow = new Set([base.origin, ...origins, ...(here ? [new URL(here).origin] : [])])
  const name = `signet ${base.href}`
  const channel = new BroadcastChannel(name)
  const locks = globalThis.navigator?.locks
  /** @type {Set<(change: Change) => void>} */
  const listeners = new Set()
  /** @type {Held | undefined} */
  let held
  /** @type {Status} */
  let status = 'unknown'
  /** @type {Promise<string> | undefined} */
  let renewal
  let isRefreshing = false
  let busyUntil = 0
  let heard = () => {}

  channel.onmessage = ({ data }) => { listen(/** @type {Word} */ (data)) }
  globalThis.addEventListener?.('pagehide', outlive)

  /** @param {Word} word */
  function listen (word) {
    if (word.kind === 'token' || word.kind === 'login') adopt(word)
    if (word.kind === 'ended') leave(word.reason)
    if (word.kind === 'ask' && isGood()) say({ kind: 'token', held: /** @type {Held} */ (held) })
    if (word.kind === 'busy') busyUntil = performance.now() + PATIENCE_MS
    if (word.kind === 'free') busyUntil = 0
  }

  /** @param {Word} word */
  function say (word) {
    channel.postMessage(word)
  }

  /** @param {{ kind: 'token' | 'login', held: Held }} word */
  function adopt ({ kind, held: theirs }) {
    if (kind === 'token' && isGood() && held && theirs.at < held.at) return
    held = theirs
    // Another log-in is news, for it may be another user's.
    become({ status: 'signed-in' }, kind === 'login' || status !== 'signed-in')
    heard()
  }

  /** @param {Change} change @param {boolean} isNews */
  function become (change, isNews) {
    status = change.status
    if (isNews) for (const listener of listeners) listener(change)
  }

  /** @param {'logged-out' | 'ended'} reason */
  function leave (reason) {
    held = undefined
    become({ status: 'signed-out', reason: status === 'unknown' && reason === 'ended' ? 'absent' : reason }, status !== 'signed-out')
  }

  /** Whether the token in hand is another than `stale`, and young. A clock that was set back makes it old. @param {string} [stale] */
  function isGood (stale) {
    const age = held ? Date.now() - held.at : 0
    return held !== undefined && held.token !== stale && age > -BLUR_MS && age < held.life * DUE
  }

  /** @param {unknown} body @param {'token' | 'login'} kind */
  function hold (body, kind) {
    const { access_token: token, expires_in: seconds } = /** @type {{ access_token: string, expires_in: number }} */ (body)
    const word = { kind, held: { token, at: Date.now(), life: seconds * 1000 } }
    adopt(word)
    say(word)
    return token
  }

  /** A good token: the one in hand, one that another tab has, or a new one. @param {string} [stale] one that was refused */
  async function freshToken (stale) {
    if (held && isGood(stale)) return held.token
    renewal ??= inTurn(async isQueued => await renew(isQueued, stale)).finally(() => { renewal = undefined })
    return await renewal
  }

  /** @param {boolean} isQueued @param {string} [stale] */
  async function renew (isQueued, stale) {
    if (isQueued && !isGood(stale)) await askOthers(stale)
    if (held && isGood(stale)) return held.token
    try {
      return await exchange()
    } catch (error) {
      if (isEnd(error)) end('ended')
      throw error
    }
  }

  async function exchange () {
    isRefreshing = true
    try {
      return hold(succeed(await insist(async () => await post('refresh', { refresh_token_in: 'cookie' }))), 'token')
    } finally {
      isRefreshing = false
    }
  }

  // The answer of a refresh is lost with a page that goes, and with the last tab there is none to ask again within the grace. So this one does,
  // by a request that outlives it. Every refresh so would be simpler, but browsers do not end such a request when it is given up.
  function outlive () {
    if (isRefreshing) post('refresh', { refresh_token_in: 'cookie' }, undefined, { keepalive: true }).catch(() => {})
  }

  /** @param {'logged-out' | 'ended'} reason */
  function end (reason) {
    leave(reason)
    say({ kind: 'ended', reason })
  }

  // The tab whose turn it was may have a token that is still on its way to this one.
  /** @param {string} [stale] */
  async function askOthers (stale) {
    say({ kind: 'ask' })
    await /** @type {Promise<void>} */ (new Promise(resolve => {
      setTimeout(resolve, ASK_MS)
      heard = () => { if (isGood(stale)) resolve() }
    }))
  }

  /**
   * Does what only one tab may do at a time, and tells it whether another did so just before.
   * @template T @param {(isQueued: boolean) => Promise<T>} work @returns {Promise<T>}
   */
  async function inTurn (work) {
    if (!locks) return await inTurnByWord(work)
    const first = await locks.request(name, { ifAvailable: true }, async lock => lock ? { done: await work(false) } : undefined)
    return first ? first.done : await locks.request(name, async () => await work(true))
  }

  /**
   * Where there are no Web Locks, by word of mouth. Two tabs that speak at once both go, and Signet gives both the same answer.
   * @template T @param {(isQueued: boolean) => Promise<T>} work @returns {Promise<T>}
   */
  async function inTurnByWord (work) {
    let rounds = 0
    do await pause(Math.random() * 50 * ++rounds)
    while (performance.now() < busyUntil)
    say({ kind: 'busy' })
    try {
      return await work(rounds > 1)
    } finally {
      say({ kind: 'free' })
    }
  }

  /** Asks until there is an answer, or patience ends. @param {() => Promise<Answer>} send @returns {Promise<Answer>} */
  async function insist (send, until = performance.now() + PATIENCE_MS, backoff = FIRST_PAUSE_MS) {
    const answer = await send().catch(unreachable)
    if (!(answer instanceof SignetError) && answer.status < 500 && answer.status !== 429) return answer
    const wait = Math.max((answer.retryAfter ?? 0) * 1000, backoff * (0.5 + Math.random()))
    if (performance.now() + wait > until) throw answer instanceof SignetError ? answer : toError(answer)
    await pause(wait)
    return await insist(send, until, backoff * 2)
  }

  /** @param {string} path @param {object} [body] @param {string} [token] @param {RequestInit} [how] @returns {Promise<Answer>} */
  async function post (path, body, token, how = { signal: AbortSignal.timeout(timeout) }) {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const response = await globalThis.fetch(new URL(path, base), { method: 'POST', credentials: 'include', headers, body: JSON.stringify(body) ?? null, ...how })
    return await read(response)
  }

  /** Makes an account and does not log it in. @param {{ email: string, password: string, name?: string | null }} registration @returns {Promise<User>} */
  async function register (registration) {
    return /** @type {User} */ (succeed(await post('register', registration).catch(thrown)))
  }

  /** Logs this browser in, in all its tabs. @param {{ email: string, password: string }} credentials */
  async function login ({ email, password }) {
    await inTurn(async () => hold(succeed(await post('login', { email, password, refresh_token_in: 'cookie' }).catch(thrown)), 'login'))
  }

  /** Logs this browser out, in all its tabs. */
  async function logout () {
    await inTurn(async () => {
      try {
        const answer = await leaveWith(held && isGood() ? held.token : await exchange())
        // The token had died already, though the session may live.
        succeed(answer.status === 401 ? await leaveWith(await exchange()) : answer)
      } catch (error) {
        if (!isEnd(error)) throw error
      }
      end('logged-out')
    })
  }

  /** @param {string} token */
  async function leaveWith (token) {
    return await insist(async () => await post('logout', undefined, token))
  }

  /**
   * As the browser's own `fetch`, with the access token, which is refreshed when it is due, or once when it is refused. A path is one of Signet's.
   * Throws a SignetError where there is no token to be had; with the code `invalid_grant` nobody is signed in.
   * @param {string | URL | Request} input @param {RequestInit} [init] @returns {Promise<Response>}
   */
  async function fetch (input, init) {
    const request = new Request(input instanceof Request ? input : new URL(String(input).replace(/^\//, ''), base), init)
    const { origin } = new URL(request.url)
    if (!mayKnow.has(origin)) throw new TypeError(`${origin} is not among the origins that may see the access token.`)
    /** @param {Request} request @param {string} token */
    const send = async (request, token) => {
      request.headers.set('authorization', `Bearer ${token}`)
      return await globalThis.fetch(request, origin === base.origin ? { credentials: 'include' } : {})
    }
    const token = await freshToken()
    const response = await send(request.clone(), token)
    return response.status === 401 ? await send(request, await freshToken(token)) : response
  }

  /** Calls `listener` when somebody signed in, or nobody is any more; returns what stops that. @param {(change: Change) => void} listener */
  function onChange (listener) {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }

  /** Lets go of the other tabs. */
  function close () {
    listeners.clear()
    channel.close()
    globalThis.removeEventListener?.('pagehide', outlive)
  }

  return { register, login, logout, fetch, onChange, close, get status () { return status } }
}

/** @typedef {ReturnType<typeof createClient>} Client */

/** @param {Response} response @returns {Promise<Answer>} */
async function read (response) {
  // Signet says seconds; a date, from something in between, counts for nothing.
  const retryAfter = /^\d{1,6}$/.exec(response.headers.get('retry-after') ?? '')?.[0]
  const text = await response.text()
  return { status: response.status, retryAfter: retryAfter === undefined ? undefined : Number(retryAfter), body: parse(text) }
}

// What stands between, such as a proxy, may answer in its own words.
/** @param {string} text */
function parse (text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @param {Answer} answer */
function toError ({ status, retryAfter, body }) {
  return new SignetError(/** @type {Problem} */ (body ?? {}), status, retryAfter)
}

/** The body of a success. @param {Answer} answer */
function succeed (answer) {
  if (answer.status >= 400) throw toError(answer)
  return answer.body
}

function unreachable () {
  return new SignetError({ code: 'unreachable', detail: 'Signet cannot be reached. Check the connection and try again.' })
}

/** @returns {never} */
function thrown () {
  throw unreachable()
}

/** @param {unknown} error */
function isEnd (error) {
  return error instanceof SignetError && error.code === 'invalid_grant'
}

/** @param {number} milliseconds */
async function pause (milliseconds) {
  await new Promise(resolve => { setTimeout(resolve, milliseconds) })
}
