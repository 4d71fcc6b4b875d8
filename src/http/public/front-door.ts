// What is at `/`: the way to a page, or a sentence that says what this is; holds no page.
import type { FastifyInstance } from 'fastify'

const SENTENCE = 'This is Signet, a token authority. The keys that verify its access tokens are at .well-known/jwks.json.\n'

/** Leads from `/` to the page at `url`, or says what this is where there is none. */
export function addFrontDoor (app: FastifyInstance, url: '/account' | '/docs' | undefined): void {
  app.get('/', { schema: { hide: true } }, (_request, reply) => {
    reply.header('cache-control', 'no-cache')
    // Relative, so that it holds under a prefix of a proxy's.
    if (url) reply.redirect(`.${url}`, 302)
    else reply.type('text/plain; charset=utf-8').send(SENTENCE)
  })
}
