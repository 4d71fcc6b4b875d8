// The client of Signet for browsers (`@signet/client`): one session over all tabs. Holds the access token in memory alone, and never sees a refresh token.

/**
 * @typedef {{ id: string, email: string, name: string | null, created_at: string }} User
 * @typedef {{ field: string, detail: string }} FieldError
 * @typedef {'unknown' | 'signed-in' | 'signed-out'} Status  It is unknown until the first request asked Signet.
 * @typedef {{ status: Status, reason?: 'logged-out' | 'ended' | 'absent' }} Change  Why nobody is signed in: by log-out, for the session ended, or there was none.
 * @typedef {{ detail?: string, code?: string, errors?: FieldError[], request_id?: string }} Problem
 * @typedef {{ status: number, retryAfter: number | undefined, body: unknown }} Answer  `retryAfter` in seconds.
 * @typedef {{ access_token: string, expires_in: number }} Pair  What Signet answers to whom it logs in; the refresh token is in the cookie.
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

/** What a success of Signet's looks like, by route. The page of a hotel's network, or of an app that answers every path, is none. */
const SUCCESS = { login: isPair, refresh: isPair, 'change-password': isPair, register: isUser, logout: isEmpty }

/**
 * Why Signet refused, with its `code`, its sentence as `message`, and for bad input `errors`, one a field. Codes beside Signet's own: `unreachable`, it did not
 * answer; `unexpected`, something else did; `other_user`, somebody else is signed in by now; `cookie_refused`, the browser keeps no session.
 */
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
  const locks = globalThis.navigator?.locks
  /** @type {Set<(change: Change) => void>} */
  const listeners = new Set()
  /** @type {BroadcastChannel | undefined} */
  let channel
  /** @type {Held | undefined} */
  let held
  /** Who is signed in, as far as the page was told. @type {string | undefined} */
  let user
  /** @type {Status} */
  let status = 'unknown'
  /** @type {Promise<string> | undefined} */
  let renewal
  let isRefreshing = false
  let busyUntil = 0
  let heard = () => {}

  globalThis.addEventListener?.('pagehide', outlive)
  globalThis.addEventListener?.('pageshow', comeBack)

  // Not before it is needed, for an open one keeps a process alive: a module that is rendered on a server, or built, makes a client too.
  function openChannel () {
    if (channel) return
    channel = new BroadcastChannel(name)
    channel.onmessage = ({ data }) => { listen(/** @type {Word} */ (data)) }
    // Node's alone.
    /** @type {{ unref?: () => void }} */ (channel).unref?.()
  }

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
    channel?.postMessage(word)
  }

  /** @param {{ kind: 'token' | 'login', held: Held }} word */
  function adopt ({ kind, held: theirs }) {
    if (kind === 'token' && isGood() && held && theirs.at < held.at) return
    const before = user
    held = theirs
    user = subjectOf(theirs.token)
    // Another log-in is news, and so is the token of another user, wherever that one logged in.
    become({ status: 'signed-in' }, kind === 'login' || status !== 'signed-in' || user !== before)
    heard()
  }

  /** @param {Change} change @param {boolean} isNews */
  function become (change, isNews) {
    status = change.status
    if (isNews) for (const listener of listeners) tell(listener, change)
  }

  /** @param {'logged-out' | 'ended'} reason */
  function leave (reason) {
    held = undefined
    user = undefined
    become({ status: 'signed-out', reason: status === 'unknown' && reason === 'ended' ? 'absent' : reason }, status !== 'signed-out')
  }

  // A page that comes back from the browser's memory has missed what the tabs said meanwhile. What it holds may be a session that is over, or another's by now.
  /** @param {Event} event */
  function comeBack (event) {
    if (/** @type {PageTransitionEvent} */ (event).persisted) held = undefined
  }

  /** Whether the token in hand is another than `stale`, and young. A clock that was set back makes it old. @param {string} [stale] */
  function isGood (stale) {
    const age = held ? Date.now() - held.at : 0
    return held !== undefined && held.token !== stale && age > -BLUR_MS && age < held.life * DUE
  }

  /** Takes a token and tells it to the other tabs, first of all: whatever a listener here does, they know. @param {Pair} pair @param {'token' | 'login'} kind */
  function hold ({ access_token: token, expires_in: seconds }, kind) {
    const word = { kind, held: { token, at: Date.now(), life: seconds * 1000 } }
    say(word)
    adopt(word)
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
    return hold(await refresh(), 'token')
  }

  async function refresh () {
    isRefreshing = true
    try {
      return /** @type {Pair} */ (succeed(await insist(async () => await post('refresh', { refresh_token_in: 'cookie' }))))
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
    say({ kind: 'ended', reason })
    leave(reason)
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
    openChannel()
    if (!locks) return await inTurnByWord(work)
    const first = await locks.request(name, { ifAvailable: true }, async lock => lock ? { done: await work(false) } : undefined)
    return first ? first.done : await locks.request(name, async () => await work(true))
  }

  /**
   * Where there are no Web Locks, tabs tell each other whose turn it is. Two that begin at once both go, and Signet gives both the same answer.
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

  /** @param {keyof typeof SUCCESS} path @param {object} [body] @param {string} [token] @param {RequestInit} [how] @returns {Promise<Answer>} */
  async function post (path, body, token, how = { signal: AbortSignal.timeout(timeout) }) {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const response = await globalThis.fetch(new URL(path, base), { method: 'POST', credentials: 'include', headers, body: JSON.stringify(body) ?? null, ...how })
    const answer = await read(response)
    if (response.ok && !SUCCESS[path](answer)) throw new SignetError({ code: 'unexpected', detail: 'Something other than Signet answered. Check the connection and try again.' }, answer.status)
    return answer
  }

  /** Makes an account and does not log it in. @param {{ email: string, password: string, name?: string | null }} registration @returns {Promise<User>} */
  async function register (registration) {
    return /** @type {User} */ (succeed(await post('register', registration).catch(thrown)))
  }

  /** Logs this browser in, in all its tabs. @param {{ email: string, password: string }} credentials */
  async function login ({ email, password }) {
    await inTurn(async () => {
      const pair = /** @type {Pair} */ (succeed(await post('login', { email, password, refresh_token_in: 'cookie' }).catch(thrown)))
      hold(base.protocol === 'http:' ? await proveCookie(pair) : pair, 'login')
    })
  }

  // The cookie is Secure, and not every browser keeps such a one over plain HTTP, not even on the machine itself. Who is not told so is logged out by the next reload.
  /** @param {Pair} pair */
  async function proveCookie (pair) {
    try {
      return await refresh()
    } catch (error) {
      if (!isEnd(error)) return pair
      // It would be a device that nobody can use.
      await post('logout', undefined, pair.access_token).catch(() => {})
      throw new SignetError({ code: 'cookie_refused', detail: 'This browser does not stay signed in over plain HTTP. Open the page over HTTPS, or in another browser.' })
    }
  }

  /** Logs this browser out, in all its tabs. */
  async function logout () {
    const asker = user
    await inTurn(async () => {
      try {
        succeed(await present(asker, async token => await insist(async () => await post('logout', undefined, token))))
      } catch (error) {
        if (!isEnd(error)) throw error
      }
      end('logged-out')
    })
  }

  /**
   * Changes the password. Every session of the account ends, and this browser goes on with a new one, in all its tabs.
   * @param {{ currentPassword: string, newPassword: string }} passwords
   */
  async function changePassword ({ currentPassword, newPassword }) {
    const asker = user
    const body = { current_password: currentPassword, new_password: newPassword, refresh_token_in: 'cookie' }
    await inTurn(async () => {
      try {
        hold(/** @type {Pair} */ (succeed(await present(asker, async token => await post('change-password', body, token).catch(thrown)))), 'token')
      } catch (error) {
        if (isEnd(error)) end('ended')
        throw error
      }
    })
  }

  /** Sends with a token, in this tab's turn; and once more where the token had died already, though the session may live. @param {string | undefined} asker @param {(token: string) => Promise<Answer>} send */
  async function present (asker, send) {
    const token = ofUser(asker, held && isGood() ? held.token : await exchange())
    const answer = await send(token)
    return answer.status === 401 ? await send(ofUser(subjectOf(token), await exchange())) : answer
  }

  // What somebody asked for is never done as somebody else, who logged in in another tab, or beside this client.
  /** @param {string | undefined} asker @param {string} token */
  function ofUser (asker, token) {
    if (asker !== undefined && subjectOf(token) !== asker) throw new SignetError({ code: 'other_user', detail: 'Somebody else is signed in by now, so nothing was done.' })
    return token
  }

  /**
   * As the browser's own `fetch`, with the access token, which is refreshed when it is due, or once when it is refused. A path is one of Signet's.
   * Throws a SignetError where there is no token to be had; with the code `invalid_grant` nobody is signed in, with `other_user` not who was when it was called.
   * @param {string | URL | Request} input @param {RequestInit} [init] @returns {Promise<Response>}
   */
  async function fetch (input, init) {
    const asker = user
    const request = new Request(input instanceof Request ? input : new URL(String(input).replace(/^\//, ''), base), init)
    const { origin } = new URL(request.url)
    if (!mayKnow.has(origin)) throw new TypeError(`${origin} is not among the origins that may see the access token.`)
    /** @param {Request} request @param {string} token */
    const send = async (request, token) => {
      request.headers.set('authorization', `Bearer ${token}`)
      return await globalThis.fetch(request, origin === base.origin ? { credentials: 'include' } : {})
    }
    const token = ofUser(asker, await freshToken())
    const response = await send(request.clone(), token)
    return response.status === 401 ? await send(request, ofUser(subjectOf(token), await freshToken(token))) : response
  }

  /** Calls `listener` when somebody signed in, somebody else too, or nobody is any more; returns what stops that. @param {(change: Change) => void} listener */
  function onChange (listener) {
    openChannel()
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }

  /** Lets go of the other tabs. */
  function close () {
    listeners.clear()
    channel?.close()
    channel = undefined
    globalThis.removeEventListener?.('pagehide', outlive)
    globalThis.removeEventListener?.('pageshow', comeBack)
  }

  return { register, login, logout, changePassword, fetch, onChange, close, get status () { return status } }
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

// A listener's fault is the page's to hear of, and stops nothing here.
/** @param {(change: Change) => void} listener @param {Change} change */
function tell (listener, change) {
  try {
    listener(change)
  } catch (error) {
    queueMicrotask(() => { throw error })
  }
}

/** Whose access token it is, to compare and not to trust, for nothing is verified here; undefined where it is none of Signet's. @param {string} token @returns {string | undefined} */
function subjectOf (token) {
  try {
    return JSON.parse(atob(/** @type {string} */ (token.split('.')[1]).replaceAll('-', '+').replaceAll('_', '/'))).sub
  } catch {
    return undefined
  }
}

/** @param {Answer} answer */
function isPair ({ body }) {
  const { access_token: token, expires_in: seconds } = /** @type {Partial<Record<string, unknown>>} */ (body ?? {})
  return typeof token === 'string' && subjectOf(token) !== undefined && typeof seconds === 'number' && seconds > 0
}

/** @param {Answer} answer */
function isEmpty ({ status }) {
  return status === 204
}

/** @param {Answer} answer */
function isUser ({ body }) {
  const { id, email } = /** @type {Partial<Record<string, unknown>>} */ (body ?? {})
  return typeof id === 'string' && typeof email === 'string'
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

/** What is thrown where there was no answer of Signet's. @param {unknown} error */
function unreachable (error) {
  return error instanceof SignetError ? error : new SignetError({ code: 'unreachable', detail: 'Signet cannot be reached. Check the connection and try again.' })
}

/** @param {unknown} error @returns {never} */
function thrown (error) {
  throw unreachable(error)
}

/** @param {unknown} error */
function isEnd (error) {
  return error instanceof SignetError && error.code === 'invalid_grant'
}

/** @param {number} milliseconds */
async function pause (milliseconds) {
  await new Promise(resolve => { setTimeout(resolve, milliseconds) })
}
