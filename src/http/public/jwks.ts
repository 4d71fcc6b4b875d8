// The JWKS (RFC 7517, section 5) as every service fetches it; holds no key.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { KeyRing } from '../../keyring/key-ring.js'
import { openDescription, ref } from '../edge/route.js'
import { isKnown } from '../edge/static-files.js'
import { JwksDTO } from './dto.js'

const DESCRIPTION = openDescription({
  operationId: 'getKeys', tag: 'keys', summary: 'The keys that verify access tokens', description: 'A JWKS (RFC 7517), to be kept for as long as Cache-Control says.',
}, { 200: { description: 'The keys', ...ref(JwksDTO) }, 304: { description: 'Unchanged', type: 'null' } })

/** Serves what the ring publishes, for anybody to keep for `maxAge` seconds. */
export function addJwks (app: FastifyInstance, keyRing: Pick<KeyRing, 'jwks'>, maxAge: number): void {
  const cacheControl = `public, max-age=${maxAge}`
  const send = (request: FastifyRequest, reply: FastifyReply) => {
    const { body, etag } = keyRing.jwks
    reply.headers({ 'cache-control': cacheControl, etag, 'access-control-allow-origin': '*' })
    if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return reply.type('application/json; charset=utf-8').serializer(asIs).send(body)
  }
  app.get('/.well-known/jwks.json', { ...DESCRIPTION, exposeHeadRoute: false }, send)
  // Not by the HEAD that Fastify makes of a GET: it says of a 304 that there is no key (RFC 9110, section 8.6).
  app.head('/.well-known/jwks.json', { schema: { hide: true } }, send)
}

function asIs (body: unknown): string {
  return body as string
}
