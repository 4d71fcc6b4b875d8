// OpenAPI and the page that tries it; holds no schema and no route of the authority's own.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AuthError } from '../errors.js'
import { COOKIE_NAME } from './refresh-cookie.js'
import { readStaticFiles, sendStatic } from './static-files.js'

/** The files of the page, which come with the plugin. */
const FOLDER = join(dirname(fileURLToPath(import.meta.resolve('@fastify/swagger-ui'))), 'static')

/** After a log-in or a refresh on the page, the page goes on with the token that it got; nothing is stored. */
const USE_TOKEN_SCRIPT = `
const createPage = window.SwaggerUIBundle
window.SwaggerUIBundle = Object.assign(config => {
  const page = createPage({
    ...config,
    responseInterceptor: response => {
      if (response.obj && response.obj.access_token) page.preauthorizeApiKey('bearer', response.obj.access_token)
      return response
    },
  })
  return page
}, createPage)
`

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

/** Collects the routes that are registered after it into an OpenAPI 3.1 document; of some the body may be left out. */
export async function addOpenApi (app: FastifyInstance, version: string, bodyOptional: Array<{ url: string }>): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Signet', version, description: 'A standalone token authority.', license: { name: 'MIT' } },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          cookie: { type: 'apiKey', in: 'cookie', name: COOKIE_NAME, description: 'the refresh token of a browser; only with an Origin that may' },
        },
      },
    },
    transformObject: document => {
      const { openapiObject } = document as Extract<typeof document, { openapiObject: unknown }>
      const paths = openapiObject.paths as Record<string, { post: { requestBody: object } }>
      // The plugin takes every body for one that must be there.
      for (const { url } of bodyOptional) Object.assign(paths[url]!.post.requestBody, { required: false })
      return openapiObject
    },
    refResolver: { buildLocalReference: json => String(json['$id']) },
  })
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
