// The client of Signet for browsers (`@signet/client`): one session over all tabs. Holds the access token in memory alone, and never sees a refresh token.

/**
 * @typedef {{ id: string, email: string, name: string | null, roles: string[], email_verified?: boolean, created_at: string }} User
 * @typedef {{ field: string, detail: string }} FieldError
 * @typedef {{ email: string, password: string, name?: string | null }} Registration
 * @typedef {{ email: string, password: string }} Credentials
 * @typedef {{ currentPassword: string, newPassword: string }} Passwords
 * @typedef {{ password: string }} Proof
 * @typedef {'unknown' | 'signed-in' | 'signed-out'} Status  It is unknown until the first request asked Signet.
 * @typedef {{ status: Status, reason?: 'logged-out' | 'ended' | 'absent' }} Change  Why nobody is signed in: by log-out, for the session ended, or there was none.
 * @typedef {{ detail?: string, code?: string, errors?: FieldError[], request_id?: string, ticket?: string, methods?: string[], enrol?: boolean }} Problem
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

/** The refresh token comes in the cookie, and its successor goes there. */
const IN_COOKIE = { refresh_token_in: 'cookie' }

/**
 * Why Signet refused, with its `code`, its sentence as `message`, and for bad input `errors`, one a field. Codes beside Signet's own: `unreachable`, it did not
 * answer; `unexpected`, something else did; `other_user`, somebody else is signed in by now; `cookie_refused`, the browser keeps no session.
 * `second_factor_required` has a `ticket`, with which `@signet/client/second-factors` goes on by one of `methods`, or adds one for `enrol`.
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
    this.ticket = problem.ticket
    this.methods = problem.methods ?? []
    this.enrol = problem.enrol ?? false
  }

  /** The error that a refusal holds. @param {Response} response */
  static async from (response) {
    return toError(await read(response))
  }
}

/** What the tabs of one browser say to each other. */
class Channel {
  /** @type {BroadcastChannel | undefined} */
  #channel
  /** @type {Array<(word: Word) => void>} */
  #ears = []

  /** @param {string} name */
  constructor (name) {
    this.name = name
  }

  /** @param {(word: Word) => void} ear */
  hear (ear) {
    this.#ears.push(ear)
  }

  // Not before it is needed, for an open one keeps a process alive: a module that is rendered on a server, or built, makes a client too.
  open () {
    if (this.#channel) return
    this.#channel = new BroadcastChannel(this.name)
    this.#channel.onmessage = ({ data }) => { for (const ear of this.#ears) ear(/** @type {Word} */ (data)) }
    // Node's alone.
    /** @type {{ unref?: () => void }} */ (this.#channel).unref?.()
  }

  /** @param {Word} word */
  say (word) {
    this.#channel?.postMessage(word)
  }

  close () {
    this.#channel?.close()
    this.#channel = undefined
  }
}

/** What only one tab may do at a time. */
class Turns {
  #channel
  #locks = globalThis.navigator?.locks
  #busyUntil = 0

  /** @param {Channel} channel */
  constructor (channel) {
    this.#channel = channel
    channel.hear(({ kind }) => {
      if (kind === 'busy') this.#busyUntil = performance.now() + PATIENCE_MS
      if (kind === 'free') this.#busyUntil = 0
    })
  }

  /**
   * Does the work in this tab's turn, and tells it whether another tab had one just before.
   * @template T @param {(isQueued: boolean) => Promise<T>} work @returns {Promise<T>}
   */
  async take (work) {
    this.#channel.open()
    const { name } = this.#channel
    if (!this.#locks) return await this.#takeByWord(work)
    const first = await this.#locks.request(name, { ifAvailable: true }, async lock => lock ? { done: await work(false) } : undefined)
    return first ? first.done : await this.#locks.request(name, async () => await work(true))
  }

  /**
   * Where there are no Web Locks, tabs tell each other whose turn it is. Two that begin at once both go, and Signet gives both the same answer.
   * @template T @param {(isQueued: boolean) => Promise<T>} work @returns {Promise<T>}
   */
  async #takeByWord (work) {
    let rounds = 0
    do await pause(Math.random() * 50 * ++rounds)
    while (performance.now() < this.#busyUntil)
    this.#channel.say({ kind: 'busy' })
    try {
      return await work(rounds > 1)
    } finally {
      this.#channel.say({ kind: 'free' })
    }
  }
}

/** Who is signed in, as far as this tab knows, with the token in hand; one session, of which every tab is told. */
class Session {
  /** @type {Status} */
  status = 'unknown'
  /** The subject of the token, as far as the page was told. @type {string | undefined} */
  user
  #channel
  /** @type {Held | undefined} */
  #held
  /** @type {Set<(change: Change) => void>} */
  #listeners = new Set()
  #heard = () => {}

  /** @param {Channel} channel */
  constructor (channel) {
    this.#channel = channel
    channel.hear(word => {
      if (word.kind === 'token' || word.kind === 'login') this.#adopt(word)
      if (word.kind === 'ended') this.#leave(word.reason)
      if (word.kind === 'ask' && this.#isGood()) channel.say({ kind: 'token', held: /** @type {Held} */ (this.#held) })
    })
  }

  /** The token in hand, if it is young, and another than `stale`. @param {string} [stale] */
  token (stale) {
    return this.#isGood(stale) ? this.#held?.token : undefined
  }

  /** Takes a token and tells it to the other tabs, first of all: whatever a listener here does, they know. @param {Pair} pair @param {'token' | 'login'} kind */
  hold ({ access_token: token, expires_in: seconds }, kind) {
    const word = { kind, held: { token, at: Date.now(), life: seconds * 1000 } }
    this.#channel.say(word)
    this.#adopt(word)
    return token
  }

  /** Takes the token of a log-in, which is news, unless whoever is signed in has proved it once more. @param {Pair} pair */
  enter (pair) {
    this.hold(pair, this.user === subjectOf(pair.access_token) ? 'token' : 'login')
  }

  /** Ends the session in every tab. @param {'logged-out' | 'ended'} reason */
  end (reason) {
    this.#channel.say({ kind: 'ended', reason })
    this.#leave(reason)
  }

  // The tab whose turn it was may have a token that is still on its way to this one.
  /** Waits, not for long, for a good token of another tab. @param {string} [stale] */
  async ask (stale) {
    this.#channel.say({ kind: 'ask' })
    await /** @type {Promise<void>} */ (new Promise(resolve => {
      setTimeout(resolve, ASK_MS)
      this.#heard = () => { if (this.#isGood(stale)) resolve() }
    }))
  }

  letGo () {
    this.#held = undefined
  }

  /** @param {(change: Change) => void} listener */
  onChange (listener) {
    this.#channel.open()
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  deafen () {
    this.#listeners.clear()
  }

  /** Whether the token in hand is another than `stale`, and young. A clock that was set back makes it old. @param {string} [stale] */
  #isGood (stale) {
    const held = this.#held
    const age = held ? Date.now() - held.at : 0
    return held !== undefined && held.token !== stale && age > -BLUR_MS && age < held.life * DUE
  }

  /** @param {{ kind: 'token' | 'login', held: Held }} word */
  #adopt ({ kind, held }) {
    if (kind === 'token' && this.#isGood() && this.#held && held.at < this.#held.at) return
    const user = subjectOf(held.token)
    // Another log-in is news, and so is the token of another user, wherever that one logged in.
    const isNews = kind === 'login' || this.status !== 'signed-in' || this.user !== user
    this.#held = held
    this.user = user
    this.status = 'signed-in'
    if (isNews) this.#tell({ status: 'signed-in' })
    this.#heard()
  }

  /** @param {'logged-out' | 'ended'} reason */
  #leave (reason) {
    const before = this.status
    this.#held = undefined
    this.user = undefined
    this.status = 'signed-out'
    if (before !== 'signed-out') this.#tell({ status: 'signed-out', reason: before === 'unknown' && reason === 'ended' ? 'absent' : reason })
  }

  // A listener's fault is the page's to hear of, and stops nothing here.
  /** @param {Change} change */
  #tell (change) {
    for (const listener of this.#listeners) {
      try {
        listener(change)
      } catch (error) {
        queueMicrotask(() => { throw error })
      }
    }
  }
}

/** What is asked of Signet's own routes. */
class Line {
  #base
  #timeout

  /** @param {URL} base @param {number} timeout in milliseconds */
  constructor (base, timeout) {
    this.#base = base
    this.#timeout = timeout
  }

  get isPlain () {
    return this.#base.protocol === 'http:'
  }

  /** @param {string} path @param {(answer: Answer) => boolean} isSuccess @param {object} [body] @param {string} [token] @param {RequestInit} [how] @returns {Promise<Answer>} */
  async post (path, isSuccess, body, token, how = this.#inTime()) {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const response = await globalThis.fetch(new URL(path, this.#base), { method: 'POST', credentials: 'include', headers, body: JSON.stringify(body) ?? null, ...how })
    const answer = await read(response)
    if (response.ok && !isSuccess(answer)) throw new SignetError({ code: 'unexpected', detail: 'Something other than Signet answered. Check the connection and try again.' }, answer.status)
    return answer
  }

  /** @param {string} path @param {object} body @param {string} token @returns {Promise<Answer>} */
  async delete (path, body, token) {
    return await this.post(path, isEmpty, body, token, { method: 'DELETE', ...this.#inTime() })
  }

  #inTime () {
    return { signal: AbortSignal.timeout(this.#timeout) }
  }
}

/** How this tab comes by a token that is young. */
class Refresher {
  #session
  #turns
  #line
  /** @type {Promise<string> | undefined} */
  #renewal
  #isRefreshing = false

  /** @param {Session} session @param {Turns} turns @param {Line} line */
  constructor (session, turns, line) {
    this.#session = session
    this.#turns = turns
    this.#line = line
  }

  /** A good token: the one in hand, one that another tab has, or a new one. @param {string} [stale] one that was refused */
  async freshToken (stale) {
    const token = this.#session.token(stale)
    if (token) return token
    this.#renewal ??= this.#turns.take(async isQueued => await this.#renew(isQueued, stale)).finally(() => { this.#renewal = undefined })
    return await this.#renewal
  }

  /** A new token, whatever is in hand; in this tab's turn. */
  async exchange () {
    return this.#session.hold(await this.refresh(), 'token')
  }

  async refresh () {
    this.#isRefreshing = true
    try {
      return /** @type {Pair} */ (succeed(await insist(async () => await this.#line.post('refresh', isPair, IN_COOKIE))))
    } finally {
      this.#isRefreshing = false
    }
  }

  // The answer of a refresh is lost with a page that goes, and with the last tab there is none to ask again within the grace. So this one does,
  // by a request that outlives it. Every refresh so would be simpler, but browsers do not end such a request when it is given up.
  outlive () {
    if (this.#isRefreshing) this.#line.post('refresh', isPair, IN_COOKIE, undefined, { keepalive: true }).catch(() => {})
  }

  /** @param {boolean} isQueued @param {string} [stale] */
  async #renew (isQueued, stale) {
    if (isQueued && !this.#session.token(stale)) await this.#session.ask(stale)
    const token = this.#session.token(stale)
    if (token) return token
    try {
      return await this.exchange()
    } catch (error) {
      if (isEnd(error)) this.#session.end('ended')
      throw error
    }
  }
}

/** What a person does at Signet, in turn with the other tabs wherever it touches the session. */
class Account {
  #session
  #turns
  #line
  #refresher

  /** @param {Session} session @param {Turns} turns @param {Line} line @param {Refresher} refresher */
  constructor (session, turns, line, refresher) {
    this.#session = session
    this.#turns = turns
    this.#line = line
    this.#refresher = refresher
  }

  /** @param {Registration} registration */
  async register (registration) {
    const answer = await this.#line.post('register', isRegistered, registration).catch(thrown)
    const user = /** @type {User} */ (succeed(answer))
    return answer.status === 202 ? undefined : user
  }

  /** @param {string} path @param {object} body @param {string} [ticket] */
  async ask (path, body, ticket) {
    return succeed(await this.#line.post(path, isAnswer, body, ticket).catch(thrown))
  }

  /** @param {string} path @param {object} body @param {string} [ticket] */
  async logInBy (path, body, ticket) {
    return await this.#turns.take(async () => {
      const pair = /** @type {Pair} */ (succeed(await this.#line.post(path, isPair, { ...body, ...IN_COOKIE }, ticket).catch(thrown)))
      this.#session.enter(this.#line.isPlain ? await this.#proveCookie(pair) : pair)
      return pair
    })
  }

  async logout () {
    const asker = this.#session.user
    await this.#turns.take(async () => {
      try {
        succeed(await this.#present(asker, async token => await insist(async () => await this.#line.post('logout', isEmpty, undefined, token))))
      } catch (error) {
        if (!isEnd(error)) throw error
      }
      this.#session.end('logged-out')
    })
  }

  /** @param {Passwords} passwords */
  async changePassword ({ currentPassword, newPassword }) {
    const asker = this.#session.user
    const body = { current_password: currentPassword, new_password: newPassword, ...IN_COOKIE }
    await this.#turns.take(async () => {
      try {
        const answer = await this.#present(asker, async token => await this.#line.post('change-password', isPair, body, token).catch(thrown))
        this.#session.hold(/** @type {Pair} */ (succeed(answer)), 'token')
      } catch (error) {
        if (isEnd(error)) this.#session.end('ended')
        throw error
      }
    })
  }

  /** @param {Proof} proof */
  async deleteAccount ({ password }) {
    const asker = this.#session.user
    await this.#turns.take(async () => {
      try {
        succeed(await this.#present(asker, async token => await this.#line.delete('account', { password }, token).catch(thrown)))
      } catch (error) {
        if (isEnd(error)) this.#session.end('ended')
        throw error
      }
      this.#session.end('logged-out')
    })
  }

  // The cookie is Secure, and not every browser keeps such a one over plain HTTP, not even on the machine itself. Who is not told so is logged out by the next reload.
  /** @param {Pair} pair */
  async #proveCookie (pair) {
    try {
      return await this.#refresher.refresh()
    } catch (error) {
      if (!isEnd(error)) return pair
      // It would be a device that nobody can use.
      await this.#line.post('logout', isEmpty, undefined, pair.access_token).catch(() => {})
      throw new SignetError({ code: 'cookie_refused', detail: 'This browser does not stay signed in over plain HTTP. Open the page over HTTPS, or in another browser.' })
    }
  }

  /** Sends with a token, in this tab's turn; and once more where the token had died already, though the session may live. @param {string | undefined} asker @param {(token: string) => Promise<Answer>} send */
  async #present (asker, send) {
    const token = ofUser(asker, this.#session.token() ?? await this.#refresher.exchange())
    const answer = await send(token)
    return answer.status === 401 ? await send(ofUser(subjectOf(token), await this.#refresher.exchange())) : answer
  }
}

/** Requests that carry the access token, to whom it may be shown. */
class Carrier {
  #base
  #origins
  #session
  #refresher

  /** @param {URL} base @param {Set<string>} origins @param {Session} session @param {Refresher} refresher */
  constructor (base, origins, session, refresher) {
    this.#base = base
    this.#origins = origins
    this.#session = session
    this.#refresher = refresher
  }

  /** @param {string | URL | Request} input @param {RequestInit} [init] */
  async fetch (input, init) {
    const asker = this.#session.user
    const request = new Request(input instanceof Request ? input : new URL(String(input).replace(/^\//, ''), this.#base), init)
    const { origin } = new URL(request.url)
    if (!this.#origins.has(origin)) throw new TypeError(`${origin} is not among the origins that may see the access token.`)
    const how = origin === this.#base.origin ? { credentials: /** @type {const} */ ('include') } : {}
    const token = ofUser(asker, await this.#refresher.freshToken())
    const response = await this.#send(request.clone(), token, how)
    return response.status === 401 ? await this.#send(request, ofUser(subjectOf(token), await this.#refresher.freshToken(token)), how) : response
  }

  /** @param {Request} request @param {string} token @param {RequestInit} how */
  async #send (request, token, how) {
    request.headers.set('authorization', `Bearer ${token}`)
    return await globalThis.fetch(request, how)
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
  const channel = new Channel(`signet ${base.href}`)
  const session = new Session(channel)
  const turns = new Turns(channel)
  const line = new Line(base, timeout)
  const refresher = new Refresher(session, turns, line)
  const account = new Account(session, turns, line, refresher)
  const carrier = new Carrier(base, mayKnow, session, refresher)

  const outlive = () => { refresher.outlive() }
  // A page that comes back from the browser's memory has missed what the tabs said meanwhile. What it holds may be a session that is over, or another's by now.
  /** @param {Event} event */
  const comeBack = event => { if (/** @type {PageTransitionEvent} */ (event).persisted) session.letGo() }
  globalThis.addEventListener?.('pagehide', outlive)
  globalThis.addEventListener?.('pageshow', comeBack)

  // Functions that need no `this`: a page hands them on as they are.
  return {
    /** Makes an account and does not log it in; undefined where a mail says the rest. @param {Registration} registration @returns {Promise<User | undefined>} */
    register: async registration => await account.register(registration),

    /** Logs this browser in, in all its tabs. @param {Credentials} credentials @returns {Promise<void>} */
    login: async ({ email, password }) => { await account.logInBy('login', { email, password }) },

    /** The same by another route; answers what came with the token. A ticket stands in for one. @param {string} path @param {object} body @param {string} [ticket] @returns {Promise<object>} */
    logInBy: async (path, body, ticket) => await account.logInBy(path, body, ticket),

    /** Posts to a route as nobody, or with a ticket. @param {string} path @param {object} body @param {string} [ticket] @returns {Promise<unknown>} */
    ask: async (path, body, ticket) => await account.ask(path, body, ticket),

    /** Logs this browser out, in all its tabs. @returns {Promise<void>} */
    logout: async () => { await account.logout() },

    /** Changes the password. Every session of the account ends, and this browser goes on with a new one, in all its tabs. @param {Passwords} passwords @returns {Promise<void>} */
    changePassword: async passwords => { await account.changePassword(passwords) },

    /** Deletes the account for good, and ends its session in all tabs. @param {Proof} proof @returns {Promise<void>} */
    deleteAccount: async proof => { await account.deleteAccount(proof) },

    /**
     * As the browser's own `fetch`, with the access token, which is refreshed when it is due, or once when it is refused. A path is one of Signet's.
     * Throws a SignetError where there is no token to be had; with the code `invalid_grant` nobody is signed in, with `other_user` not who was when it was called.
     * @param {string | URL | Request} input @param {RequestInit} [init] @returns {Promise<Response>}
     */
    fetch: async (input, init) => await carrier.fetch(input, init),

    /** Calls `listener` when somebody signed in, somebody else too, or nobody is any more; returns what stops that. @param {(change: Change) => void} listener @returns {() => void} */
    onChange: listener => session.onChange(listener),

    /** Lets go of the other tabs. @returns {void} */
    close: () => {
      session.deafen()
      channel.close()
      globalThis.removeEventListener?.('pagehide', outlive)
      globalThis.removeEventListener?.('pageshow', comeBack)
    },

    get status () {
      return session.status
    },
  }
}

/** @typedef {ReturnType<typeof createClient>} Client */

// What somebody asked for is never done as somebody else, who logged in in another tab, or beside this client.
/** @param {string | undefined} asker @param {string} token */
function ofUser (asker, token) {
  if (asker !== undefined && subjectOf(token) !== asker) throw new SignetError({ code: 'other_user', detail: 'Somebody else is signed in by now, so nothing was done.' })
  return token
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

/** Whether it is a user, or a mail is to come. @param {Answer} answer */
function isRegistered ({ status, body }) {
  const { id, email } = /** @type {Partial<Record<string, unknown>>} */ (body ?? {})
  return status === 202 || (typeof id === 'string' && typeof email === 'string')
}

/** Whether it is JSON, or nothing. @param {Answer} answer */
function isAnswer ({ status, body }) {
  return status === 204 || (typeof body === 'object' && body !== null)
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
