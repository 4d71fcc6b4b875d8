// The requests that tests of the routes make, and what a problem document must be; holds no application.
import { join } from 'node:path'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { EMAIL, PASSWORD, type Pair } from '../test-app.js'

export const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const PROBLEM = 'application/problem+json; charset=utf-8'

export async function post (app: FastifyInstance, url: string, body?: object, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return await app.inject({ method: 'POST', url, headers, ...(body && { payload: body }) })
}

export async function register (app: FastifyInstance, email = EMAIL): Promise<string> {
  const answer = await post(app, '/register', { email, password: PASSWORD })
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return answer.json<{ id: string }>().id
}

export async function login (app: FastifyInstance, email = EMAIL, password = PASSWORD): Promise<Pair> {
  const answer = await post(app, '/login', { email, password })
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json<Pair>()
}

export function bearer (tokens: Pick<Pair, 'access_token'> | string): { authorization: string } {
  return { authorization: `Bearer ${typeof tokens === 'string' ? tokens : tokens.access_token}` }
}

export function claimsOf (jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
}

/** The family of an access token. */
export function familyOf (tokens: Pair): string {
  return claimsOf(tokens.access_token)['sid'] as string
}

export function keysOf (folder: string): string {
  return join(folder, 'keys')
}

/** A problem document whole, but for its request id, whose shape it checks. */
export function problemOf (answer: LightMyRequestResponse): Record<string, unknown> {
  const { request_id: id, ...rest } = answer.json<Record<string, unknown>>()
  if (answer.headers['content-type'] !== PROBLEM) throw new Error(`not a problem document: ${String(answer.headers['content-type'])}`)
  if (answer.headers['cache-control'] !== 'no-store') throw new Error('a problem document may be stored')
  if (!UUID.test(String(id))) throw new Error(`no request id: ${answer.body}`)
  return rest
}

/** The problem document that is due. */
export function problem (status: number, title: string, code: string, detail: string, errors?: object[]): Record<string, unknown> {
  return { type: 'about:blank', title, status, detail, code, ...(errors && { errors }) }
}
