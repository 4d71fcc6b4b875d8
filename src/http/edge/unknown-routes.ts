// What no route takes; holds no route.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AuthError } from '../../errors.js'
import { allowReading } from './cors.js'
import type { LimitOptions } from './rate-limits.js'

/** Refuses it before its body is read: as 405 where the address exists, else as 404. `origins` may read that. */
export function addUnknownRoutes (app: FastifyInstance, { onRequest: checks = [] }: LimitOptions, origins: string[]): void {
  const known = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => { known.set(url, [...known.get(url) ?? [], ...[method].flat()]) })
  const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
    allowReading(request, reply, origins)
    for (const check of checks) await check.call(app, request, reply)
    const allow = allowedMethods(known, request.url)
    throw allow.length > 0 ? new AuthError('method_not_allowed', { allow }) : new AuthError('not_found')
  }
  // By callback: every request comes through here, and a promise for each would be the dearest part of the JWKS.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) refuse(request, reply).catch(done)
    else done()
  })
}

function allowedMethods (known: Map<string, string[]>, url: string): string[] {
  const path = url.split('?', 1)[0]!.split('/')
  return [...known].filter(([pattern]) => matches(pattern.split('/'), path)).flatMap(([, methods]) => methods)
}

function matches (want: string[], have: string[]): boolean {
  return want.length === have.length && want.every((part, at) => part === have[at] || (part.startsWith(':') && have[at] !== ''))
}
