// What a body may be: nothing, or JSON in UTF-8 that says each thing once; holds no schema.
import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { AuthError } from '../../errors.js'

const JSON_TYPE = 'application/json'
const UTF_8 = /^charset=(?:utf-?8|"utf-?8")$/i

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It takes forms, and nothing else. */
    takesForm?: true
  }
}

/** Takes bodies of JSON and none of another type; one of no length is no body, whatever it calls itself. */
export function addJsonBodies (app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addHook('onRequest', ({ raw: { headers }, routeOptions: { config } }, _reply, done) => {
    // What is no plain JSON has no type, so that whether there is a body at all is asked first.
    if (!config.takesForm && !isPlainJson(headers)) headers['content-type'] = undefined
    done()
  })
  app.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (body.length === 0) return done(null, undefined)
    if (!isUtf8(body)) return done(new AuthError('invalid_request', { detail: 'The body is not UTF-8.' }))
    const text = body.toString()
    parse(request, text, (error, value: unknown) => {
      const isRepeated = error === null && hasRepeatedName(text, value)
      done(isRepeated ? new AuthError('invalid_request', { detail: 'The body has a member twice.' }) : error, value)
    })
  })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    done(body.length === 0 ? null : new AuthError('unsupported_media_type'), undefined)
  })
}

/** Whether a body is what it seems: no other type or charset (RFC 8259, section 8.1), and nothing that would have to be decoded first. */
function isPlainJson ({ 'content-type': type, 'content-encoding': encoding }: IncomingHttpHeaders): boolean {
  if (encoding !== undefined) return false
  if (type === undefined || type === JSON_TYPE) return true
  const [essence, ...parameters] = type.toLowerCase().split(';').map(part => part.trim())
  // A comma is the seam of two headers of one name.
  return essence === JSON_TYPE && !type.includes(',') && parameters.every(parameter => !parameter.startsWith('charset') || UTF_8.test(parameter))
}

/** Whether an object in JSON has a name twice (RFC 7493, section 2.3): then its text has more colons outside of strings than its value has members. */
export function hasRepeatedName (text: string, value: unknown): boolean {
  const members = countMembers(value)
  // Strings are passed over only where a colon in one may have been counted.
  return countAllColons(text) !== members && countColons(text) !== members
}

function countAllColons (text: string): number {
  let colons = 0
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) colons++
  return colons
}

/** Of well-formed JSON, outside of its strings. */
function countColons (text: string): number {
  let [colons, isInString] = [0, false]
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]
    if (letter === '"') isInString = !isInString
    else if (isInString && letter === '\\') at++
    else if (!isInString && letter === ':') colons++
  }
  return colons
}

function countMembers (value: unknown): number {
  const containers = [value].filter(isContainer)
  // Grows as it goes, for a recursion could be as deep as the body is long.
  for (const container of containers) containers.push(...Object.values(container).filter(isContainer))
  return containers.reduce((sum, container) => sum + (Array.isArray(container) ? 0 : Object.keys(container).length), 0)
}

function isContainer (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
