// The status lists as every service fetches them (draft-ietf-oauth-status-list-21, sections 8 and 9); holds no bit and no signature.
import type { FastifyInstance } from 'fastify'
import { AuthError } from '../../errors.js'
import type { StatusPlaces } from '../../services/status-places.js'
import type { SignedList, StatusLists } from '../../services/status-lists.js'
import type { Publication, Publisher } from '../edge/publications.js'
import { addReading, openDescription, ref } from '../edge/route.js'
import { headersOf, memoryFile, sendStatic, type StaticFile } from '../edge/static-files.js'
import { StatusListsDTO } from './dto.js'

const TYPE = 'application/statuslist+jwt'
const NUMBER = /^(?:0|[1-9]\d{0,8})$/
const ROUTE = '/status-lists/:list'
const PATH = /^\/status-lists\/(0|[1-9]\d{0,8})$/
const RETRY_AFTER_SECONDS = 1

const ONE = openDescription({
  operationId: 'getStatusList', tag: 'keys', summary: 'Which log-ins are over', description: 'A Token Status List (draft-ietf-oauth-status-list-21): a signed list with a bit for each log-in, which is set from its end until its last access token has expired.',
}, { 200: { description: 'The list', content: { [TYPE]: { schema: { type: 'string' } } } }, 304: { description: 'Unchanged', type: 'null' } }, ['not_found', 'not_supported', 'unavailable'])

const ALL = openDescription({
  operationId: 'getStatusLists', tag: 'keys', summary: 'The status lists that there are', description: 'The addresses of all status lists (draft-ietf-oauth-status-list-21, section 9), for services that fetch them ahead.',
}, { 200: { description: 'Their addresses', ...ref(StatusListsDTO) } }, ['unavailable'])

/** A list as it is sent: for routes, which compress it, and as it is. */
interface Made { file: StaticFile, plain: Publication }

/** Serves what `lists` has, for anybody to keep for `ttl` seconds. `clock` in milliseconds. Returns what serves plain requests for one, with `ofAll`, the headers that every answer has. */
export function addStatusLists (app: FastifyInstance, lists: StatusLists, places: StatusPlaces, ttl: number, ofAll: Record<string, string>, clock: () => number): Publisher {
  const headers = { 'cache-control': `public, max-age=${ttl}`, 'access-control-allow-origin': '*' }
  const made = new WeakMap<SignedList, Made>()
  const madeOf = (list: SignedList): Made => {
    const known = made.get(list)
    if (known) return known
    const file = memoryFile(Buffer.from(list.jwt), TYPE, ['gzip'])
    const fresh = { file, plain: { route: ROUTE, headers: { ...ofAll, ...headers, ...headersOf(file), 'content-length': file.body.length }, body: file.body } }
    made.set(list, fresh)
    return fresh
  }
  addReading<{ list: string }>(app, ROUTE, ONE, async (request, reply) => {
    const { list } = request.params
    // What a list said at another time is told to nobody (section 8.4): it would tell when each of its log-ins ended.
    if ('time' in Object(request.query)) throw new AuthError('not_supported', { detail: 'A status list is served as it is now, and not as it was at another time.' })
    const found = NUMBER.test(list) ? lists.read(Number(list), clock()) : 'unknown'
    if (found === 'unknown') throw new AuthError('not_found')
    if (found === 'unavailable') throw unavailable()
    reply.headers(headers)
    return await sendStatic(request, reply, madeOf(found).file)
  })
  addReading(app, '/status-lists', ALL, (_request, reply) => {
    const { numbers } = lists
    if (numbers === 'unavailable') throw unavailable()
    return reply.headers(headers).send({ status_lists: numbers.map(number => places.uriOf(number)) })
  })
  return ({ url, headers }) => {
    const list = headers['accept-encoding'] === undefined ? PATH.exec(url!)?.[1] : undefined
    if (list === undefined) return undefined
    const found = lists.read(Number(list), clock())
    return typeof found === 'string' ? undefined : madeOf(found).plain
  }
}

function unavailable (): AuthError {
  return new AuthError('unavailable', { retryAfter: RETRY_AFTER_SECONDS })
}
