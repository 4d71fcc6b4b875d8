// The doors of OAuth 2.0 and OpenID Connect, put together: what they take, how they refuse, who may read them; holds no door.
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { SOURCES } from '../../places.js'
import { addOpenCors } from '../edge/cors.js'
import type { LimitOptions } from '../edge/rate-limits.js'
import { readStaticFiles } from '../edge/static-files.js'
import { addPage, FOLDER } from '../public/pages.js'
import type { Values } from '../public/templates.js'
import { addAuthorize, type AuthorizeParts } from './authorize.js'
import { addEndSession, type EndSessionParts } from './end-session.js'
import { addFormBodies } from './forms.js'
import { addMetadata } from './metadata.js'
import { Pages } from './pages.js'
import { sendOAuthError, toRefusal } from './refusals.js'
import { addTokenDoors, type TokenDoorParts } from './token-doors.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It is a person who is answered, in a browser. */
    showsPage?: true
  }
}

export interface DoorParts extends Omit<AuthorizeParts, 'pages'>, Omit<EndSessionParts, 'pages'>, TokenDoorParts { limits: LimitOptions, hasLists: boolean, hasAccountPage: boolean, offers: Values, maxAge: number }

const CLIENT_FOLDER = fileURLToPath(new URL('client/', SOURCES))

/** Adds all of them. */
export async function addOAuth (app: FastifyInstance, parts: DoorParts): Promise<void> {
  addMetadata(app, parts.issuer, parts.hasLists, parts.maxAge)
  const pages = new Pages({ ...parts.offers, account: parts.hasAccountPage ? 'account' : '' })
  for (const [name, file] of [...readStaticFiles(FOLDER, ['.js', '.css', '.svg']), ...readStaticFiles(CLIENT_FOLDER, ['.js'])]) addPage(app, `/oauth/${name}`, () => file)
  await app.register(async doors => {
    addFormBodies(doors)
    doors.setErrorHandler<Error>(sendOAuthError)
    // No cookie opens them, so any page may ask and read (the Fetch standard's CORS).
    addOpenCors(doors)
    addTokenDoors(doors, parts)
  })
  await app.register(async doors => {
    addFormBodies(doors)
    doors.setErrorHandler<Error>((error, request, reply) => request.routeOptions.config.showsPage ? tell(error, request, reply, pages) : refuseDecision(error, request, reply))
    addAuthorize(doors, { ...parts, pages })
    addEndSession(doors, { ...parts, pages })
  })
}

/** To whoever sits there. */
function tell (error: Error, request: FastifyRequest, reply: FastifyReply, pages: Pages): FastifyReply {
  const { description, retryAfter, status } = toRefusal(error, request)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  const sentence = status === 429 ? `Too many requests came from where you are. Try again in ${retryAfter} seconds.` : SENTENCES[status] ?? `The application that sent you here did not ask as it must, so you cannot be sent back to it. Tell who runs it: ${description}`
  const again = request.method === 'GET' && (status === 429 || status in SENTENCES) ? request.url.slice(1) : ''
  return pages.send(reply, 'told', { title: 'This did not work', sentence, again, request_id: request.id, account: '' }, status)
}

const SENTENCES: Record<number, string> = {
  500: 'Something went wrong in Signet. Try again, and if it stays so, tell who runs it.',
  503: 'Signet cannot do this right now. Try again in a moment.',
}

/** To the script of a page, which tells whoever sits there. */
function refuseDecision (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, description, retryAfter, status } = toRefusal(error, request)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  return reply.code(status).header('cache-control', 'no-store').send({ error: code, error_description: description, request_id: request.id })
}
