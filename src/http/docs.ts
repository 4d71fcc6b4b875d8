// OpenAPI and the page that tries it; holds no schema and no route of the authority's own.
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/** After a log-in or a refresh on the page, the page goes on with the token that it got; nothing is stored. */
const USE_TOKEN_SCRIPT = `
window.addEventListener('load', () => {
  const nativeFetch = window.fetch
  window.fetch = async (...request) => {
    const response = await nativeFetch(...request)
    const answer = await response.clone().json().catch(() => undefined)
    if (answer && answer.access_token) window.ui.preauthorizeApiKey('bearer', answer.access_token)
    return response
  }
})
`

/** Collects the routes that are registered after it into an OpenAPI 3.1 document. */
export async function addOpenApi (app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Signet', version, description: 'A standalone token authority.', license: { name: 'MIT' } },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
    refResolver: { buildLocalReference: json => String(json['$id']) },
  })
}

/** Serves the document at /docs/json and a page that can try every route at /docs. */
export async function addDocs (app: FastifyInstance): Promise<void> {
  await app.register(async docs => {
    docs.addHook('onSend', async (_request, reply) => {
      reply.headers({ 'x-frame-options': 'DENY', 'cross-origin-opener-policy': 'same-origin' })
    })
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      transformStaticCSP: header => `${header}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
      theme: { title: 'Signet', js: [{ filename: 'use-token.js', content: USE_TOKEN_SCRIPT }] },
      uiConfig: { tryItOutEnabled: true, displayRequestDuration: true },
    })
  })
}
