// Whether a browser came by a link on another site's page, to which it brings no cookie of ours (RFC 6265bis, section 5.2); holds no answer.
import type { FastifyRequest } from 'fastify'

/** Whether the page may be shown, once, that goes on to the same address by itself, so that the cookie comes along: not in a frame, to which it would not either. */
export function comesFromElsewhere ({ headers }: FastifyRequest): boolean {
  const [site, destination] = [headers['sec-fetch-site'] ?? 'cross-site', headers['sec-fetch-dest'] ?? 'document']
  return site === 'cross-site' && destination === 'document'
}
