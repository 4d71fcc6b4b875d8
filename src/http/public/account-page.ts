// Serves the account page and the client that it shares with every other front end; holds nothing of what they do.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { SOURCES } from '../../places.js'
import { addPage, addSlash, FENCE, FOLDER } from './pages.js'
import { bringsCookie } from '../edge/refresh-cookie.js'
import { readStaticFiles, staticFile } from '../edge/static-files.js'

/** The page has the very client that others install. */
const CLIENT_FOLDER = fileURLToPath(new URL('client/', SOURCES))

/** Serves the page at /account; it repeats the rule of `passwordMinLength` characters. */
export async function addAccountPage (app: FastifyInstance, passwordMinLength: number): Promise<void> {
  const template = await readFile(`${FOLDER}account.html`, 'utf8')
  addPage(app, '/account', () => staticFile(template.replaceAll('{{password_min_length}}', String(passwordMinLength)), '.html'))
  for (const [name, file] of [...readStaticFiles(FOLDER, ['.js', '.css', '.svg']), ...readStaticFiles(CLIENT_FOLDER, ['.js'])]) addPage(app, `/account/${name}`, () => file)
  // So that the page of somebody who is not signed in need not ask for a refresh that is refused.
  app.get('/account/session', { schema: { hide: true } }, (request, reply) => { reply.headers({ ...FENCE, 'cache-control': 'no-store' }).send({ cookie: bringsCookie(request) }) })
  addSlash(app, '/account')
}
