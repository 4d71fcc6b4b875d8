// The JWKS (RFC 7517, section 5) as every service fetches it; holds no key.
import type { FastifyInstance } from 'fastify'
import type { KeyRing } from '../../keyring/key-ring.js'
import type { Publication, Publisher } from '../edge/publications.js'
import { addReading, openDescription, ref } from '../edge/route.js'
import { isKnown } from '../edge/static-files.js'
import { JwksDTO } from './dto.js'

const PATH = '/.well-known/jwks.json'

const DESCRIPTION = openDescription({
  operationId: 'getKeys', tag: 'keys', summary: 'The keys that verify access tokens', description: 'A JWKS (RFC 7517), to be kept for as long as Cache-Control says.',
}, { 200: { description: 'The keys', ...ref(JwksDTO) }, 304: { description: 'Unchanged', type: 'null' } })

/** Serves what the ring publishes, for anybody to keep for `maxAge` seconds. Returns what serves plain requests for it, with `headers` that every answer has. */
export function addJwks (app: FastifyInstance, keyRing: Pick<KeyRing, 'jwks'>, maxAge: number, headers: Record<string, string>): Publisher {
  const type = 'application/json; charset=utf-8'
  const headersOf = (etag: string) => ({ 'cache-control': `public, max-age=${maxAge}`, etag, 'access-control-allow-origin': '*' })
  addReading(app, PATH, DESCRIPTION, (request, reply) => {
    const { body, etag } = keyRing.jwks
    reply.headers(headersOf(etag))
    if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return reply.type(type).serializer(asIs).send(body)
  })
  let [published, of]: [Publication | undefined, string | undefined] = [undefined, undefined]
  return ({ url }) => {
    if (url !== PATH) return undefined
    const { body, etag } = keyRing.jwks
    if (of !== body) published = { route: PATH, headers: { ...headers, ...headersOf(etag), 'content-type': type, 'content-length': Buffer.byteLength(body) }, body: Buffer.from(body) }
    of = body
    return published
  }
}

function asIs (body: unknown): string {
  return body as string
}
