// What Signet's own refusals are called at the doors of OAuth.
import Fastify from 'fastify'
import t from 'tap'
import { AuthError, ERRORS, type ErrorCode } from '../../../src/errors.js'
import { sendOAuthError } from '../../../src/http/oauth/refusals.js'

t.test('each refusal of Signet\'s own is one of OAuth\'s, in its form', async t => {
  const app = Fastify()
  app.setErrorHandler<Error>(sendOAuthError)
  app.get('/:code', async ({ params }) => { throw new AuthError((params as { code: ErrorCode }).code, { retryAfter: 7 }) })
  const called: Partial<Record<ErrorCode, [number, string]>> = {
    invalid_grant: [400, 'invalid_grant'], unavailable: [503, 'temporarily_unavailable'], busy: [503, 'temporarily_unavailable'], rate_limited: [429, 'temporarily_unavailable'], internal_error: [500, 'server_error'], payload_too_large: [413, 'invalid_request'],
  }
  for (const [code, [status, error]] of Object.entries(called)) {
    const answer = await app.inject(`/${code}`)
    t.equal(answer.statusCode, status, code)
    t.match(answer.headers, { 'cache-control': 'no-store', 'retry-after': '7' })
    t.strictSame(answer.json(), { error, error_description: ERRORS[code as ErrorCode][1] })
  }
})
