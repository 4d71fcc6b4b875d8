// The refresh token's cookie: who may bring it, and how it is set and cleared; holds no rule of what a token is good for.
import { fastifyCookie } from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AuthError } from '../../errors.js'

/** The prefix binds it to this host, to HTTPS and to the whole of the site (RFC 6265bis, section 4.1.3.2). */
export const COOKIE_NAME = '__Host-signet'
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
  const { origin, 'sec-fetch-site': secFetchSite } = request.headers
  const token = tokenOf(request)
  const isWanted = (request.body as { refresh_token_in?: string } | undefined)?.refresh_token_in === 'cookie'
  if (token === undefined && !isWanted) return undefined
  const sender = { origin, secFetchSite: secFetchSite as string | undefined, addressedTo: originOf(`${request.protocol}://${request.host}`) }
  if (!mayUseCookie(sender, trusted)) throw new AuthError('foreign_origin')
  return new RefreshCookie(token, isWanted, reply)
}

/** Whether there is a token in the cookie, which may have ended. */
export function bringsCookie (request: FastifyRequest): boolean {
  return tokenOf(request) !== undefined
}

/** The token in the cookie, whoever brings it. */
export function tokenOf ({ headers: { cookie } }: FastifyRequest): string | undefined {
  return cookie === undefined ? undefined : fastifyCookie.parse(cookie, { decode: asItCame })[COOKIE_NAME]
}

// A token needs no escapes, and with them it would have another spelling.
function asItCame (value: string): string {
  return value
}

// Without the port that goes without saying, as a browser writes an Origin.
function originOf (address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).origin : undefined
}

/** Takes the cookie away, whatever it holds. */
export function clearCookie (reply: FastifyReply): void {
  setCookie(reply, '', 0)
}

function setCookie (reply: FastifyReply, value: string, maxAge: number): void {
  reply.header('set-cookie', fastifyCookie.serialize(COOKIE_NAME, value, { ...ATTRIBUTES, maxAge }))
}

/** What an answer with a refresh token has, whatever else is in it. */
interface WithRefreshToken { refresh_token?: string, refresh_token_expires_in: number }

export class RefreshCookie {
  /** What the cookie brought. */
  readonly token: string | undefined
  readonly isWanted: boolean
  readonly #reply: FastifyReply

  constructor (token: string | undefined, isWanted: boolean, reply: FastifyReply) {
    this.token = token
    this.isWanted = isWanted
    this.#reply = reply
  }

  /** Moves the refresh token of an answer into the cookie, for as long as the token is good. */
  keep<Answer extends WithRefreshToken>({ refresh_token: token, ...rest }: Answer): Omit<Answer, 'refresh_token'> {
    setCookie(this.#reply, token!, rest.refresh_token_expires_in)
    return rest
  }

  clear (): void {
    clearCookie(this.#reply)
  }
}
