// Serves the account page and the client that it shares with every other front end; holds nothing of what they do.
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { SOURCES } from '../../places.js'
import { addPage, addSlash, FENCE, FOLDER } from './pages.js'
import { SCOPE_WORDS } from './scope-words.js'
import { fill, readTemplate, type Values } from './templates.js'
import { bringsCookie } from '../edge/refresh-cookie.js'
import { readStaticFiles, staticFile } from '../edge/static-files.js'

/** The page has the very client that others install. */
const CLIENT_FOLDER = fileURLToPath(new URL('client/', SOURCES))

/** Serves the page at /account, which has what is offered. */
export function addAccountPage (app: FastifyInstance, offers: Values): void {
  const page = fill(readTemplate('account'), { ...offers, scope_words: JSON.stringify(SCOPE_WORDS) })
  addPage(app, '/account', () => staticFile(page, '.html'))
  for (const [name, file] of [...readStaticFiles(FOLDER, ['.js', '.css', '.svg']), ...readStaticFiles(CLIENT_FOLDER, ['.js'])]) addPage(app, `/account/${name}`, () => file)
  // So that the page of somebody who is not signed in need not ask for a refresh that is refused.
  app.get('/account/session', { schema: { hide: true } }, (request, reply) => { reply.headers({ ...FENCE, 'cache-control': 'no-store' }).send({ cookie: bringsCookie(request) }) })
  addSlash(app, '/account')
}
