// The one exit for failures: every error becomes a problem document (RFC 9457); holds no rule of when one occurs.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { readTraceParent } from '../../core/trace-context.js'
import { AuthError, type ErrorCode, type FieldError } from '../../errors.js'
import type { ProblemDTO } from './problem-dto.js'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** A body of 16 KiB can be wrong in two thousand members. */
const MAX_ERRORS = 20

/** The types of JSON that a member may be of, as a sentence names them. */
const TYPES: Record<string, string> = { string: 'a string', object: 'a JSON object', null: 'null' }

const BY_STATUS: Record<number, ErrorCode> = { 408: 'request_timeout', 413: 'payload_too_large', 415: 'unsupported_media_type', 431: 'headers_too_large' }
const SYNTAX = { detail: 'The request is not well-formed: its address, its headers or the JSON of its body cannot be read.' }

/** Answers with the problem document of any error; logs the private cause of a 5xx under the same request id. */
export function sendProblem (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toAuthError(error)
  logRefusal(known, request)
  if (known.retryAfter !== undefined) reply.header('retry-after', known.retryAfter)
  if (known.allow) reply.header('allow', known.allow.join(', '))
  if (known.status === 401) reply.header('www-authenticate', challenge(known, request))
  return reply.code(known.status).header('cache-control', 'no-store').type(PROBLEM_TYPE).send(JSON.stringify(toProblem(known, request.id)))
}

/** Answers what never became a request. The parser's words may hold a part of a secret, so they go nowhere. */
export function sendRawProblem (error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400
  const problem = toProblem(fromStatus(status), requestId)
  const body = JSON.stringify(problem)
  socket.end(`HTTP/1.1 ${status} ${problem.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n${body}`)
}

export function toProblem (error: AuthError, requestId: string): ProblemDTO {
  return {
    type: 'about:blank',
    title: STATUS_CODES[error.status]!,
    status: error.status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.errors && { errors: error.errors }),
    ...error.members,
  }
}

/** What an error is called, whoever threw it. */
export function toAuthError (error: Error): AuthError {
  if (error instanceof AuthError) return error
  const { validation, statusCode = 500 } = error as FastifyError
  if (validation) return new AuthError('invalid_request', { errors: validation.slice(0, MAX_ERRORS).map(toFieldError) })
  if (statusCode < 500) return fromStatus(statusCode)
  return new AuthError('internal_error', { cause: error })
}

function fromStatus (status: number): AuthError {
  const code = BY_STATUS[status]
  return code ? new AuthError(code) : new AuthError('invalid_request', SYNTAX)
}

function toFieldError ({ instancePath, params, message, keyword }: NonNullable<FastifyError['validation']>[number]): FieldError {
  const member = params['additionalProperty'] ?? params['missingProperty']
  const path = instancePath.slice(1)
  const field = member === undefined ? path : [path, member].filter(Boolean).join('/')
  const detail = {
    additionalProperties: 'This route knows no such member.',
    required: 'It is missing.',
    maxLength: `It has more than ${params['limit']} characters.`,
    type: `It must be ${[params['type']].flat().map(type => TYPES[type as string]).join(' or ')}.`,
  }[keyword] ?? `It ${message!}.`
  return { field: field || 'body', detail }
}

/** Tells the log of a refusal, once where it is repeated. */
export function logRefusal (error: { code: string, status: number, cause?: unknown, isRepeated?: boolean }, request: FastifyRequest): void {
  if (error.isRepeated) return
  const fields = { request_id: request.id, ...readTraceParent(request.headers['traceparent']), code: error.code, status: error.status, method: request.method, path: request.routeOptions.url, ip: request.ip }
  if (error.status >= 500) request.log.error({ ...fields, err: error.cause }, 'request failed')
  else request.log.info(fields, 'request refused')
}

/** RFC 6750, section 3: a reason only where a token was sent. */
function challenge (error: AuthError, request: FastifyRequest): string {
  const isAboutToken = error.code === 'invalid_token' && request.headers.authorization !== undefined
  return isAboutToken ? `Bearer realm="signet", error="invalid_token", error_description="${error.message}"` : 'Bearer realm="signet"'
}
