// What the doors of OAuth take: forms, and nothing else, that say each thing once; holds no meaning of a parameter.
import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { NO_PARAMETERS, readParameters, type Parameters } from '../../core/parameters.js'
import { OAuthError } from '../../errors.js'

const FORM_TYPE = 'application/x-www-form-urlencoded'
const PLAIN_FORM = /^application\/x-www-form-urlencoded(?:\s*;\s*charset=(?:utf-?8|"utf-?8"))?\s*$/i

/** Takes bodies of forms in UTF-8, and none of another type. */
export function addFormBodies (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addHook('onRequest', ({ raw: { headers } }, _reply, done) => {
    const { 'content-type': type, 'content-encoding': encoding } = headers
    headers['content-type'] = encoding === undefined && type !== undefined && PLAIN_FORM.test(type) ? FORM_TYPE : undefined
    done()
  })
  app.addContentTypeParser(FORM_TYPE, { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    const parameters = isUtf8(body) ? readParameters(body.toString()) : undefined
    if (parameters) done(null, parameters)
    else done(malformed())
  })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => {
    done(new OAuthError('invalid_request', `The body must be a form in UTF-8, sent as ${FORM_TYPE} and not compressed.`))
  })
}

/** The parameters of a form. Throws `invalid_request` where one came twice. */
export function formOf (request: FastifyRequest): Parameters {
  const parameters = request.body as Parameters | undefined ?? NO_PARAMETERS
  if (parameters.repeated.length > 0) throw new OAuthError('invalid_request', 'A parameter came twice.')
  return parameters
}

/** What a person's browser asks with: the parameters of the form, or those of the query. Throws `invalid_request` where they cannot be read. */
export function askedOf (request: FastifyRequest): Parameters {
  if (request.method === 'POST') return request.body as Parameters | undefined ?? NO_PARAMETERS
  const [, query = ''] = request.url.split(/\?(.*)/s)
  const parameters = readParameters(query)
  if (!parameters) throw malformed()
  return parameters
}

function malformed (): OAuthError {
  return new OAuthError('invalid_request', 'The parameters cannot be read: they must be encoded as in a form, in UTF-8.')
}
