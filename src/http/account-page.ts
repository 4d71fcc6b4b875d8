// Serves the account page and the client that it shares with every other front end; holds nothing of what they do.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { bringsCookie } from './refresh-cookie.js'
import { readStaticFiles, sendStatic, staticFile } from './static-files.js'

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
const PAGE_HEADERS = { ...HEADERS, 'cache-control': 'no-cache' }

/** Serves the page at /account; it repeats the rule of `passwordMinLength` characters. */
export async function addAccountPage (app: FastifyInstance, passwordMinLength: number): Promise<void> {
  const template = await readFile(`${FOLDER}account.html`, 'utf8')
  const page = staticFile(template.replaceAll('{{password_min_length}}', String(passwordMinLength)), '.html')
  const files = [...readStaticFiles(FOLDER, ['.js', '.css', '.svg'])].map(([name, file]) => ({ url: `/account/${name}`, file }))
  for (const { url, file } of [{ url: '/account', file: page }, ...files]) {
    app.get(url, { schema: { hide: true } }, (request, reply) => { sendStatic(request, reply.headers(PAGE_HEADERS), file) })
  }
  // So that the page of somebody who is not signed in need not ask for a refresh that is refused.
  app.get('/account/session', { schema: { hide: true } }, (request, reply) => { reply.headers({ ...HEADERS, 'cache-control': 'no-store' }).send({ cookie: bringsCookie(request) }) })
  // Relative, as every address in the page is, so that it holds under a prefix of a proxy's too.
  app.get('/account/', { schema: { hide: true } }, (_request, reply) => { reply.headers(PAGE_HEADERS).redirect('../account', 308) })
}
