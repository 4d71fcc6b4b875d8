// How a route is described, to Fastify for its checks and to whoever reads OpenAPI; holds no route of a caller's.
import type { FastifySchema } from 'fastify'
import { ERRORS, type ErrorCode } from '../errors.js'
import { HealthDTO, JwksDTO, ProblemDTO } from './dto.js'
import type { Route, Tag } from './routes.js'

interface Operation { operationId: string, tag: Tag, summary: string, description: string }

/** What any request may be refused for, and any that may have a body. */
const ANY = ['invalid_request'] as const
const WITH_BODY = ['payload_too_large', 'unsupported_media_type'] as const

/** The schema of a route of the table. */
export function routeSchema (route: Route): FastifySchema {
  const failures: ErrorCode[] = [
    ...ANY,
    ...(route.method === 'GET' ? [] : WITH_BODY),
    ...(route.guard === 'bearer' ? ['invalid_token' as const] : []),
    ...route.errors,
    'rate_limited', 'unavailable',
  ]
  const success = route.response ? { description: 'Done', ...ref(route.response) } : { description: 'Done', type: 'null' }
  return {
    ...operationOf(route),
    security: securityOf(route),
    ...(route.body && { body: ref(route.body) }),
    response: { ...problems(failures), [route.status]: success },
  }
}

export const JWKS_SCHEMA = openSchema({
  operationId: 'getKeys', tag: 'keys', summary: 'The keys that verify access tokens', description: 'A JWKS (RFC 7517), to be kept for as long as Cache-Control says.',
}, { 200: { description: 'The keys', ...ref(JwksDTO) }, 304: { description: 'Unchanged', type: 'null' } })

export const LIVENESS_SCHEMA = openSchema({
  operationId: 'getLiveness', tag: 'health', summary: 'Whether the process answers', description: 'For what restarts a process that hangs.',
}, { 200: { description: 'It answers', ...ref(HealthDTO) } })

export const READINESS_SCHEMA = openSchema({
  operationId: 'getReadiness', tag: 'health', summary: 'Whether it can serve', description: 'For what sends requests only to processes that can serve them.',
}, { 200: { description: 'It can', ...ref(HealthDTO) }, 503: { description: 'It cannot, and why', ...ref(HealthDTO) } })

function openSchema (operation: Operation, response: Record<number, object>): FastifySchema {
  return { ...operationOf(operation), security: [], response: { ...problems([...ANY]), ...response } }
}

function operationOf ({ operationId, tag, summary, description }: Operation) {
  return { operationId, tags: [tag], summary, description }
}

function securityOf (route: Route): Array<Record<string, string[]>> {
  if (route.guard === 'bearer') return [{ bearer: [] }]
  return route.cookie === 'exchanged' ? [{}, { cookie: [] }] : []
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

function ref (schema: { $id?: string }): object {
  return { $ref: `${schema.$id!}#` }
}
