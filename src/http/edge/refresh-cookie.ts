// The refresh token's cookie, and the one beside it of device tokens: who may bring them, and how they are set and cleared; holds no rule of what a token is good for.
import { fastifyCookie } from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DEVICE_TOKEN_LIFE, deviceTokensOfOthers, keepDeviceTokens } from '../../core/device-token.js'
import { AuthError } from '../../errors.js'

/** The prefix binds it to this host, to HTTPS and to the whole of the site (RFC 6265bis, section 4.1.3.2). */
export const COOKIE_NAME = '__Host-signet'
/** Of the browser's device tokens, the newest first. */
export const DEVICE_COOKIE_NAME = '__Host-signet-device'
const BETWEEN = '.'
const ATTRIBUTES = { httpOnly: true, secure: true, sameSite: 'strict', path: '/' } as const

/** What says where a request comes from: its headers, and the origin that it was addressed to. */
export interface Sender { origin: string | undefined, secFetchSite: string | undefined, addressedTo: string | undefined }

/**
 * Whether a request that brings the cookie, or asks for it, comes from a page that may. Never across sites, whatever the browser makes
 * of SameSite; from another origin of this site only where it is listed; and not where nothing says from where, as from a program.
 */
export function mayUseCookie ({ origin, secFetchSite, addressedTo }: Sender, trusted: ReadonlySet<string>): boolean {
  // `null` is every origin that is none.
  if (secFetchSite === 'cross-site' || origin === 'null') return false
  if (origin === undefined) return secFetchSite === 'same-origin'
  return origin === addressedTo || trusted.has(origin)
}

/** Loads what reads and writes a cookie, in a scope without routes, so that no request pays for the plugin's hook. */
export async function addCookies (app: FastifyInstance): Promise<void> {
  await app.register(async scope => { await scope.register(fastifyCookie, { hook: false }) })
}

/** Opens what a request and its answer have to do with the cookie; undefined where it neither came nor is asked for. Throws `foreign_origin`. */
export function openCookie (request: FastifyRequest, reply: FastifyReply, trusted: ReadonlySet<string>): RefreshCookie | undefined {
  const token = tokenOf(request)
  const isWanted = (request.body as { refresh_token_in?: string } | undefined)?.refresh_token_in === 'cookie'
  if (token === undefined && !isWanted) return undefined
  if (!comesFromOwnPage(request, trusted)) throw new AuthError('foreign_origin')
  return new RefreshCookie(token, isWanted, deviceTokensOf(request), reply)
}

function comesFromOwnPage (request: FastifyRequest, trusted: ReadonlySet<string>): boolean {
  const { origin, 'sec-fetch-site': secFetchSite } = request.headers
  return mayUseCookie({ origin, secFetchSite: secFetchSite as string | undefined, addressedTo: originOf(`${request.protocol}://${request.host}`) }, trusted)
}

/** The device tokens that a request may bring in its cookie. From another's page there are none, which refuses nothing. */
export function openDeviceTokens (request: FastifyRequest, trusted: ReadonlySet<string>): string[] {
  return comesFromOwnPage(request, trusted) ? deviceTokensOf(request) : []
}

/** The device tokens that a request shows, in its body or its cookie, whoever brings them. */
export function deviceTokensShown (request: FastifyRequest): string[] {
  const { device_token: token } = (request.body ?? {}) as { device_token?: unknown }
  return [...typeof token === 'string' ? [token] : [], ...deviceTokensOf(request)]
}

function deviceTokensOf (request: FastifyRequest): string[] {
  return valueOf(request, DEVICE_COOKIE_NAME)?.split(BETWEEN) ?? []
}

/** Whether there is a token in the cookie, which may have ended. */
export function bringsCookie (request: FastifyRequest): boolean {
  return tokenOf(request) !== undefined
}

/** The token in the cookie, whoever brings it. */
export function tokenOf (request: FastifyRequest): string | undefined {
  return valueOf(request, COOKIE_NAME)
}

function valueOf ({ headers: { cookie } }: FastifyRequest, name: string): string | undefined {
  return cookie === undefined ? undefined : fastifyCookie.parse(cookie, { decode: asItCame })[name]
}

// A token needs no escapes, and with them it would have another spelling.
function asItCame (value: string): string {
  return value
}

// Without the port that goes without saying, as a browser writes an Origin.
function originOf (address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).origin : undefined
}

/** Takes the cookie away, whatever it holds. That of device tokens stays: it is for the next log-in. */
export function clearCookie (reply: FastifyReply): void {
  setCookie(reply, COOKIE_NAME, '', 0)
}

function setCookie (reply: FastifyReply, name: string, value: string, maxAge: number): void {
  reply.header('set-cookie', fastifyCookie.serialize(name, value, { ...ATTRIBUTES, maxAge }))
}

/** What an answer with a refresh token has, whatever else is in it. */
interface WithTokens { refresh_token?: string, refresh_token_expires_in: number, device_token?: string }

export class RefreshCookie {
  /** What the cookie brought. */
  readonly token: string | undefined
  readonly isWanted: boolean
  readonly #deviceTokens: string[]
  readonly #reply: FastifyReply

  constructor (token: string | undefined, isWanted: boolean, deviceTokens: string[], reply: FastifyReply) {
    this.token = token
    this.isWanted = isWanted
    this.#deviceTokens = deviceTokens
    this.#reply = reply
  }

  /** Moves the tokens of an answer but the access token into the cookies, each for as long as it is good. */
  keep<Answer extends WithTokens>({ refresh_token: token, device_token: deviceToken, ...rest }: Answer): Omit<Answer, 'refresh_token' | 'device_token'> {
    setCookie(this.#reply, COOKIE_NAME, token!, rest.refresh_token_expires_in)
    setCookie(this.#reply, DEVICE_COOKIE_NAME, keepDeviceTokens(deviceToken!, this.#deviceTokens).join(BETWEEN), DEVICE_TOKEN_LIFE / 1000)
    return rest
  }

  /** An answer to a log-in: its tokens go into the cookies where that is asked for; else what the cookie held has ended with it. */
  answer<Answer extends WithTokens>(answer: Answer): Omit<Answer, 'refresh_token' | 'device_token'> {
    if (this.isWanted) return this.keep(answer)
    this.clear()
    return answer
  }

  clear (): void {
    clearCookie(this.#reply)
  }

  /** Takes away what shows that this user logged in on the device; of others it stays. */
  forget (userId: string): void {
    const others = deviceTokensOfOthers(userId, this.#deviceTokens)
    setCookie(this.#reply, DEVICE_COOKIE_NAME, others.join(BETWEEN), others.length > 0 ? DEVICE_TOKEN_LIFE / 1000 : 0)
  }
}
