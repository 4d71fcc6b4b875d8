// `@signet/verifier/express`: a middleware that guards routes with the verifier, and the claims behind it; holds no rule about tokens.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessTokenClaims } from './access-token-claims.js'
import { NO_TOKEN, readBearer, refusalOf, type Refusal } from './bearer.js'
import { settle } from './listener.js'
import type { TokenVerificationError } from './token-verification-error.js'
import { createVerifier, type VerifierOptions } from './verifier.js'

export interface GuardOptions extends VerifierOptions {
  /** Hears of each token that is refused, to log it; the `cause` of `keys_unavailable` and `status_unavailable` is for the log alone. What it throws is a warning of the process, and changes no answer. */
  onRefused?: (error: TokenVerificationError, request: IncomingMessage) => void | Promise<void>
}

/** Of Express 4 and 5, and of whatever else calls a middleware with Node's own request and response. */
export type RequireToken = (request: IncomingMessage, response: ServerResponse, next: () => void) => Promise<void>

const tokens = new WeakMap<IncomingMessage, AccessTokenClaims>()

/** A middleware behind which a request has a good token; it answers the others itself. Throws a TypeError naming an option that cannot be used. */
export function requireToken ({ onRefused, ...options }: GuardOptions): RequireToken {
  const { verify } = createVerifier(options)
  return async (request, response, next) => {
    const token = readBearer(request.headers.authorization)
    if (token === undefined) { send(response, NO_TOKEN); return }
    try {
      tokens.set(request, await verify(token))
    } catch (thrown) {
      const error = thrown as TokenVerificationError
      send(response, refusalOf(error))
      // Express 4 lets go of a middleware's promise: one that rejects would end the process.
      await settle('onRefused', () => onRefused?.(error, request))
      return
    }
    next()
  }
}

/** The claims of the request's token. Throws on a route that `requireToken` does not guard. */
export function tokenOf (request: IncomingMessage): AccessTokenClaims {
  const claims = tokens.get(request)
  if (!claims) throw new Error('tokenOf was asked on a route that requireToken does not guard.')
  return claims
}

function send (response: ServerResponse, { status, headers, problem }: Refusal): void {
  // Something else, such as a time limit, may have answered while the keys were fetched.
  if (response.headersSent) return
  response.writeHead(status, headers).end(JSON.stringify(problem))
}
