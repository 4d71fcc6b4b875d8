// Who calls: reads the bearer token (RFC 6750, section 2.1) and asks the token service; holds no rule about tokens.
import { AuthError } from '../../errors.js'
import type { Caller, TokenService } from '../../services/token-service.js'

// The scheme alone: whoever verifies the token takes it in one spelling.
const BEARER = /^bearer +/i

/** The caller that an Authorization header stands for. `now` in milliseconds. Throws `invalid_token`. */
export async function identifyCaller (authorization: string | undefined, tokens: TokenService, now: number): Promise<Caller> {
  const scheme = BEARER.exec(authorization ?? '')?.[0]
  if (scheme === undefined) throw new AuthError('invalid_token')
  return await tokens.identify(authorization!.slice(scheme.length), now)
}
