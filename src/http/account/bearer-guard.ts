// Who calls: reads the bearer token (RFC 6750, section 2.1) and asks the token service; holds no rule about tokens.
import { AuthError } from '../../errors.js'
import type { Caller, TokenService } from '../../services/token-service.js'

/** A token of ours has no other letters than these (RFC 7515, section 7.1). */
const BEARER = /^bearer +([\w.-]+)$/i

/** What is sealed has five parts (RFC 7516, section 7.1), and a token three. */
const TICKET = /^bearer +((?:[\w-]*\.){4}[\w-]+)$/i

/** The ticket of a log-in that an Authorization header brings in the stead of an access token. */
export function readTicket (authorization: string | undefined): string | undefined {
  return TICKET.exec(authorization ?? '')?.[1]
}

/** The caller that an Authorization header stands for. `now` in milliseconds. Throws `invalid_token`. */
export async function identifyCaller (authorization: string | undefined, tokens: TokenService, now: number): Promise<Caller> {
  const token = BEARER.exec(authorization ?? '')?.[1]
  if (!token) throw new AuthError('invalid_token')
  return await tokens.identify(token, now)
}
