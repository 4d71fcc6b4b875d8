// OpenAPI and the page that tries it; holds no schema and no route of the authority's own.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AuthError } from '../errors.js'
import { COOKIE_NAME } from './refresh-cookie.js'
import { TAGS } from './routes.js'
import { readStaticFiles, sendStatic } from './static-files.js'

/** The files of the page, which come with the plugin. */
const FOLDER = join(dirname(fileURLToPath(import.meta.resolve('@fastify/swagger-ui'))), 'static')

/**
 * After a log-in or a refresh on the page, the page goes on with the token that it got; nothing is stored. It asks the server that
 * it came from, under whatever name; the document names the public one.
 */
const USE_TOKEN_SCRIPT = `
const createPage = window.SwaggerUIBundle
window.SwaggerUIBundle = Object.assign(config => {
  const page = createPage({
    ...config,
    requestInterceptor: request => {
      const { pathname, search } = new URL(request.url, window.location.href)
      return Object.assign(request, { url: pathname + search })
    },
    responseInterceptor: response => {
      if (response.obj && response.obj.access_token) page.preauthorizeApiKey('bearer', response.obj.access_token)
      return response
    },
  })
  return page
}, createPage)
`

const EMAIL = { format: 'idn-email' }
/** It begins with what can be seen, and holds nothing but text and the joiners that some scripts and emoji are written with. */
const NAME = { minLength: 1, pattern: '^[\\p{L}\\p{N}\\p{P}\\p{S}][\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\u200c\\u200d ]*$' }

/** Nothing from elsewhere; the one style is what the page sets for itself. No upgrade to HTTPS, so that plain HTTP works too. */
const CONTENT_SECURITY_POLICY = {
  'default-src': "'self'",
  'img-src': ["'self'", 'data:'],
  'style-src': ["'self'", "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='"],
  'object-src': "'none'",
  'frame-ancestors': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
}

/** Of some routes the body may be left out. */
export interface DocumentParts { version: string, issuer: string, passwordMinLength: number, bodyOptional: Array<{ url: string }> }

interface Operation { requestBody?: { required: boolean }, parameters?: Array<{ name: string, schema: object }> }
interface Document { paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, { properties: Record<string, object> }> } }

/** Collects the routes that are registered after it into an OpenAPI 3.1 document. */
export async function addOpenApi (app: FastifyInstance, parts: DocumentParts): Promise<void> {
  // Without a slash at its end, for paths begin with one.
  const url = parts.issuer.replace(/\/$/, '')
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Signet', version: parts.version, description: 'A standalone token authority.', contact: { name: 'Whoever runs this Signet', url }, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'an access token (RFC 9068)' },
          cookie: { type: 'apiKey', in: 'cookie', name: COOKIE_NAME, description: 'the refresh token of a browser; only with an Origin that may' },
        },
      },
    },
    transformObject: document => {
      const { openapiObject } = document as Extract<typeof document, { openapiObject: unknown }>
      complete(openapiObject as unknown as Document, parts)
      return openapiObject
    },
    refResolver: { buildLocalReference: json => String(json['$id']) },
  })
}

/** Adds what the document can say and the validator must not: what is refused by a rule, under a code and with a sentence of its own. */
function complete ({ paths, components: { schemas } }: Document, { passwordMinLength, bodyOptional }: DocumentParts): void {
  // The plugin takes every body for one that must be there.
  for (const { url } of bodyOptional) paths[url]!['post']!.requestBody!.required = false
  const operations = Object.values(paths).flatMap(path => Object.values(path))
  for (const { schema } of operations.flatMap(({ parameters = [] }) => parameters).filter(({ name }) => name === 'id')) Object.assign(schema, { format: 'uuid', description: 'as /tokens lists it' })
  const told: Record<string, object> = { email: EMAIL, new_password: { minLength: passwordMinLength } }
  for (const { properties } of Object.values(schemas)) {
    for (const [name, limits] of Object.entries(told)) Object.assign(properties[name] ?? {}, limits)
  }
  const { RegistrationDTO, ChangeUserRequest } = schemas
  Object.assign(RegistrationDTO!.properties['password']!, told['new_password'])
  for (const { properties } of [RegistrationDTO!, ChangeUserRequest!]) Object.assign(properties['name']!, NAME)
}

/** Serves the document at /docs/json and a page that can try every route at /docs. */
export async function addDocs (app: FastifyInstance): Promise<void> {
  const files = readStaticFiles(FOLDER, ['.html', '.js', '.css', '.svg', '.png'])
  const serveFile = (request: FastifyRequest, reply: FastifyReply) => {
    const file = files.get((request.params as { '*': string })['*'])
    if (!file) throw new AuthError('not_found')
    sendStatic(request, reply.header('cache-control', 'no-cache'), file)
  }
  await app.register(async docs => {
    // The plugin would open its file anew for every request.
    docs.addHook('onRoute', route => { if (route.url === '/docs/static/*') route.handler = serveFile })
    docs.addHook('onSend', async (_request, reply) => {
      reply.headers({ 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin' })
    })
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: CONTENT_SECURITY_POLICY,
      theme: { title: 'Signet', js: [{ filename: 'use-token.js', content: USE_TOKEN_SCRIPT }] },
      uiConfig: { tryItOutEnabled: true, displayRequestDuration: true },
    })
  })
}
