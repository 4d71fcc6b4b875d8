// Serves the OpenAPI document and the page that tries it; holds nothing of either.
import type { FastifyInstance } from 'fastify'
import { docsPage } from './docs-page.js'
import type { Document } from './openapi.js'
import { addPage, addSlash, FOLDER } from './pages.js'
import { readStaticFiles, staticFile } from '../edge/static-files.js'

/** What the page has of the account page is its looks. */
const SHARED = ['account.css', 'mark.svg']

/** Serves the document at /docs/json and a page that can try every route at /docs. */
export function addDocs (app: FastifyInstance, document: () => Promise<Document>): void {
  addPage(app, '/docs', async () => staticFile(docsPage(await document()), '.html'))
  addPage(app, '/docs/json', async () => staticFile(JSON.stringify(await document()), '.json'))
  const files = [...readStaticFiles(`${FOLDER}docs`, ['.js', '.css']), ...[...readStaticFiles(FOLDER, ['.css', '.svg'])].filter(([name]) => SHARED.includes(name))]
  for (const [name, file] of files) addPage(app, `/docs/${name}`, () => file)
  addSlash(app, '/docs')
}
