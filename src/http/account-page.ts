// Serves the account page and the client that it shares with every other front end; holds nothing of what they do.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** What runs in browsers lies beside this folder, in the sources as in the build. */
const FOLDER = fileURLToPath(new URL('../browser/', import.meta.url))

/** Nothing from elsewhere, nothing inline, no text that becomes a script; and no form that leaves the page, should its script not load. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    "require-trusted-types-for 'script'", "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
}

/** A new version counts at the next load. */
const CACHE_CONTROL = 'no-cache'

/** Serves the page at /account; it repeats the rule of `passwordMinLength` characters. */
export async function addAccountPage (app: FastifyInstance, passwordMinLength: number): Promise<void> {
  const template = await readFile(`${FOLDER}account.html`, 'utf8')
  const page = template.replaceAll('{{password_min_length}}', String(passwordMinLength))
  app.get('/account', { schema: { hide: true } }, (_request, reply) => {
    reply.headers({ ...HEADERS, 'cache-control': CACHE_CONTROL }).type('text/html; charset=utf-8').send(page)
  })
  await app.register(fastifyStatic, {
    root: FOLDER,
    prefix: '/account/',
    wildcard: false,
    globIgnore: ['*.html', '*.d.ts'],
    decorateReply: false,
    cacheControl: false,
    setHeaders: (response: FastifyReply) => { response.headers({ ...HEADERS, 'cache-control': CACHE_CONTROL }) },
  })
}
