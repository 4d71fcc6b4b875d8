// How a route of a table becomes Fastify's: its limit, its checks, its description and its answer; holds no route.
import type { TSchema } from '../../schema.js'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, RouteOptions } from 'fastify'
import { ERRORS, type ErrorCode } from '../../errors.js'
import type { Device } from '../../services/rotation.js'
import { ProblemDTO } from './problem-dto.js'
import type { Limit, LimitOptions, OverLimit } from './rate-limits.js'

/** By what a document groups the routes. */
export const TAGS = {
  accounts: 'Who a user is, and what proves it.',
  tokens: 'Logging in and staying logged in.',
  devices: 'Where a user is logged in, and logging out.',
  keys: 'What verifies an access token.',
  clients: 'What clients of OAuth 2.0 and OpenID Connect ask for.',
  health: 'Whether Signet works.',
}

/** How the document names a route. `operationId` is its name in the code that others generate from it. */
interface Operation { operationId: string, tag: keyof typeof TAGS, summary: string, description: string }

/** What a table says of a route, whoever serves it. */
export interface Described extends Operation {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  url: string
  /** Whether it is for anybody, for whom an access token stands for, for the one or the other by what is asked, or also for whose log-in waits for a second factor. */
  guard: 'open' | 'bearer' | 'either' | 'enrolling'
  limit: Limit
  body?: TSchema
  /** What may stand in the query; else that means nothing. */
  query?: TSchema
  /** A request without a body is taken for one with an empty object. */
  isBodyOptional?: true
  /** Whether the cookie may bring what it takes. */
  takesCookie?: boolean
  status: 200 | 201 | 202 | 204
  response?: TSchema
  /** Whether it answers 204 where it has nothing to say. */
  mayBeEmpty?: true
  /** What it answers under other settings. */
  elsewhere?: { status: 201 | 202, response: TSchema }
  errors: ErrorCode[]
}

/**
 * What a handler gets of a request. `now` in milliseconds; `cookieToken` and `deviceTokens` are what the cookies brought, where they may; `overLimit`, where
 * the address has asked too often, throws unless it may once more.
 */
export interface Visit<Body = unknown> { body: Body, query: unknown, id: string, device: Device, now: number, cookieToken?: string | undefined, deviceTokens?: string[], overLimit?: OverLimit | undefined }

/** Serves one request of a route, and returns what it answers with. */
export type Serve = (visit: Visit, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** A header may be kilobytes long; what is kept of it a device is not (promise 7). */
const USER_AGENT_MAX_LENGTH = 200

/** What any request may be refused for, and any that may have a body. */
const ANY = ['invalid_request'] as const
const WITH_BODY = ['payload_too_large', 'unsupported_media_type'] as const

/** The route as Fastify takes it. No answer of one is kept by anybody. `clock` in milliseconds. */
export function toFastifyRoute (route: Described, serve: Serve, limits: LimitOptions, clock: () => number): RouteOptions {
  return {
    method: route.method,
    url: route.url,
    ...limits,
    ...(route.isBodyOptional && { preValidation: fillBody }),
    ...descriptionOf(route),
    handler: async (request, reply) => {
      const answer = await serve(toVisit(request, clock()), request, reply)
      // Returned, not sent: to await a reply is to watch its stream until the end.
      reply.code(route.mayBeEmpty && answer === undefined ? 204 : route.status).header('cache-control', 'no-store')
      return answer
    },
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    answers?: Record<number, object>
    /** The form that it takes, for the document alone. */
    form?: object
  }
}

/** How a route is described: to Fastify, which compiles what it has to check and to write, and to the document every answer by its status. */
interface Description { schema: FastifySchema, config: { answers: Record<number, object> } }

/** The description of a route that is no table's and open to all; `errors` are those that not every request may have. */
export function openDescription (operation: Operation, answers: Record<number, object>, errors: ErrorCode[] = []): Description {
  return { schema: { ...operationOf(operation), security: [] }, config: { answers: { ...problems([...ANY, ...errors]), ...answers } } }
}

/** The description of a door of OAuth, which takes a form, or none, and refuses in its own way, as `refusal` looks. */
export function doorDescription (operation: Operation, { form, answer, refusal, statuses }: { form?: TSchema, answer: object, refusal: TSchema, statuses: number[] }): { schema: FastifySchema, config: { answers: Record<number, object>, form?: object } } {
  const refusals = Object.fromEntries(statuses.map(status => [status, { description: 'Refused', ...ref(refusal) }]))
  return { schema: { ...operationOf(operation), security: [] }, config: { answers: { 200: { description: 'Done', ...answer }, ...refusals }, ...(form && { form: ref(form) }) } }
}

/** Serves a document that anybody may read, by GET and by HEAD. */
export function addReading<Params = unknown> (app: FastifyInstance, url: string, description: Description, send: (request: FastifyRequest<{ Params: Params }>, reply: FastifyReply) => unknown): void {
  app.get<{ Params: Params }>(url, { ...description, exposeHeadRoute: false }, send)
  // Not by the HEAD that Fastify makes of a GET: it says of a 304 that there is nothing (RFC 9110, section 8.6).
  app.head<{ Params: Params }>(url, { schema: { hide: true } }, send)
}

/** A reference to a schema that the application knows by its name. */
export function ref (schema: { $id?: string }): object {
  return { $ref: `${schema.$id!}#` }
}

// A request whose token is in the cookie needs no body.
function fillBody (request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  if (request.body === undefined) request.body = {}
  done()
}

function toVisit (request: FastifyRequest, now: number): Visit {
  const { id = '' } = request.params as { id?: string }
  return { body: request.body, query: request.query, id, device: deviceOf(request), now, overLimit: request.overLimit }
}

/** Where a request comes from. No control character gets into a log or a terminal: Node takes some in a header. */
export function deviceOf (request: FastifyRequest): Device {
  return { ip: request.ip, userAgent: request.headers['user-agent']?.slice(0, USER_AGENT_MAX_LENGTH).replace(/\p{Cc}/gu, '\uFFFD') ?? null }
}

function descriptionOf (route: Described): Description {
  const failures: ErrorCode[] = [
    ...ANY,
    ...(route.method === 'GET' ? [] : WITH_BODY),
    ...(route.guard === 'open' ? [] : ['invalid_token' as const]),
    ...route.errors,
    'rate_limited', 'unavailable',
  ]
  const success = route.response && { [route.status]: ref(route.response) }
  const content = route.response ? ref(route.response) : { type: 'null' }
  return {
    schema: { ...operationOf(route), security: securityOf(route), ...(route.body && { body: ref(route.body) }), ...(route.query && { querystring: route.query }), ...(success && { response: success }) },
    config: { answers: { ...problems(failures), ...(route.mayBeEmpty && { 204: { description: 'Done', type: 'null' } }), ...(route.elsewhere && { [route.elsewhere.status]: { description: 'Done, under other settings', ...ref(route.elsewhere.response) } }), [route.status]: { description: 'Done', ...content } } },
  }
}

function operationOf ({ operationId, tag, summary, description }: Operation) {
  return { operationId, tags: [tag], summary, description }
}

function securityOf (route: Described): Array<Record<string, string[]>> {
  if (route.guard === 'bearer' || route.guard === 'enrolling') return [{ bearer: [] }]
  if (route.guard === 'either') return [{}, { bearer: [] }]
  return route.takesCookie ? [{}, { cookie: [] }] : []
}

function problems (codes: ErrorCode[]): Record<number, object> {
  const statuses = [...new Set(codes.map(statusOf))]
  return Object.fromEntries(statuses.map(status => [status, { description: codes.filter(code => statusOf(code) === status).join(', '), ...problemContent() }]))
}

function problemContent () {
  return { content: { 'application/problem+json': { schema: ref(ProblemDTO) } } }
}

function statusOf (code: ErrorCode): number {
  return ERRORS[code][0]
}
