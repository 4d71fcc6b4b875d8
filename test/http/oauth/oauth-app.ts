// An application with clients and somebody who is logged in by the cookie, and the way that a browser and a client take through it; holds no assertion.
import { createHash, randomBytes } from 'node:crypto'
import { randomUUID } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { makeSecret, type Client } from '../../../src/core/client.js'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'

export const ISSUER = 'https://id.example'
export const CALLBACK = 'https://app.example/callback'
export const GOODBYE = 'https://app.example/goodbye'
export const API = 'https://api.example'
/** Of a page of Signet's own. */
export const OWN = { origin: ISSUER, 'sec-fetch-site': 'same-origin' }

export interface Tokens { access_token: string, token_type: string, expires_in: number, refresh_token?: string, refresh_token_expires_in?: number, id_token?: string, scope: string }

/** A client and the secret that it knows. */
export type Known = Client & { secret: string }

export function client (more: Partial<Client> = {}): Known {
  const { secret, kept } = makeSecret(0)
  const isPublic = more.authMethod === 'none'
  return {
    id: randomUUID(), version: 1, name: 'The App', redirectUris: [CALLBACK], grantTypes: isPublic ? ['authorization_code', 'refresh_token'] : ['authorization_code', 'refresh_token', 'client_credentials'],
    authMethod: 'client_secret_basic', secrets: isPublic ? [] : [kept], scopes: ['notes'], audiences: [API], postLogoutRedirectUris: [GOODBYE], isOurs: false, requiresPkce: true, createdAt: 0, ...more, secret,
  }
}

export function pkce () {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

export async function oauthApp (t: Test, env: Record<string, string> = {}) {
  const signet = await testApp(t, { ISSUER, ...env })
  const { app, store } = signet
  const put = async (more: Partial<Client> = {}) => {
    const { secret, ...record } = client(more)
    await store.insertClient(record)
    return { ...record, secret }
  }
  const logIn = async (email = EMAIL) => {
    const answer = await app.inject({ method: 'POST', url: '/login', payload: { email, password: PASSWORD, refresh_token_in: 'cookie' }, headers: OWN })
    return `${String(answer.headers['set-cookie']).split(';')[0]}`
  }
  const authorize = async (parameters: Record<string, string> | string, headers: Record<string, string> = {}) =>
    await app.inject({ url: `/authorize?${new URLSearchParams(parameters)}`, headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'document', ...headers } })
  const form = async (url: string, parameters: Record<string, string> | string, headers: Record<string, string> = {}) =>
    await app.inject({ method: 'POST', url, payload: String(new URLSearchParams(parameters)), headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } })
  const decide = async (page: LightMyRequestResponse, cookie: string, headers: Record<string, string> = OWN) => await form(`/${/data-action="([^"]+)"/.exec(page.body)![1]}`, { decision: decisionIn(page) }, { cookie, ...headers })
  const as = ({ authMethod, id, secret }: Known): { headers: Record<string, string>, body: Record<string, string> } =>
    authMethod === 'client_secret_basic' ? { headers: { authorization: basic(id, secret) }, body: {} } : { headers: {}, body: { client_id: id, ...(authMethod === 'client_secret_post' && { client_secret: secret }) } }
  const ask = async (url: string, who: Known, parameters: Record<string, string>) => await form(url, { ...as(who).body, ...parameters }, as(who).headers)
  /** The address that a user who lets the client in is sent to. */
  const allowed = async (who: Known, cookie: string, more: Record<string, string> = {}) => {
    const answer = await authorize({ ...requestOf(who), ...more }, { cookie })
    return new URL(answer.statusCode === 303 ? answer.headers.location! : (await decide(answer, cookie)).json<{ location: string }>().location)
  }
  /** A code and what has to be sent with it. */
  const code = async (who: Known, cookie: string, more: Record<string, string> = {}) => {
    const { challenge, verifier } = pkce()
    const location = await allowed(who, cookie, { code_challenge: challenge, code_challenge_method: 'S256', ...more })
    return { grant_type: 'authorization_code', code: location.searchParams.get('code')!, redirect_uri: more['redirect_uri'] ?? who.redirectUris[0]!, code_verifier: verifier }
  }
  const tokens = async (who: Known, cookie: string, more: Record<string, string> = {}) => (await ask('/token', who, await code(who, cookie, more))).json<Tokens>()
  await signet.register()
  return { ...signet, put, logIn, authorize, form, decide, ask, allowed, code, tokens, cookie: await logIn(), web: await put(), spa: await put({ authMethod: 'none' }) }
}

/** A good request of a client's, but for its challenge. */
export function requestOf ({ id, redirectUris }: Client): Record<string, string> {
  return { response_type: 'code', client_id: id, redirect_uri: redirectUris[0]!, scope: 'openid email offline_access notes', state: 'a state', nonce: 'a nonce', code_challenge: pkce().challenge, code_challenge_method: 'S256' }
}

export function decisionIn ({ body }: LightMyRequestResponse): string {
  return /name="decision" value="([^"]+)"/.exec(body)![1]!
}

export function basic (id: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
}

export function claimsOf (jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
}

/** Where somebody is sent, and with what. */
export function sent ({ headers: { location }, statusCode }: LightMyRequestResponse): object {
  const url = new URL(location!)
  return { statusCode, to: `${url.origin}${url.pathname}`, ...Object.fromEntries(url.searchParams) }
}
