// Whether a browser came by way of another site, and so may have brought no cookie of ours (RFC 6265bis, section 5.2); holds no answer.
import type { FastifyRequest } from 'fastify'

/** `none` is an address that somebody typed, which may be another site's that led here at once: Firefox and WebKit withhold the cookie then, and do not say that there was another. */
const ELSEWHERE = ['cross-site', 'none']

/** Whether the page may be shown, once, that goes on to the same address by itself, so that the cookie comes along: not in a frame, to which it would not either. */
export function comesFromElsewhere ({ headers }: FastifyRequest): boolean {
  const [site, destination] = [headers['sec-fetch-site'] ?? 'cross-site', headers['sec-fetch-dest'] ?? 'document']
  return ELSEWHERE.includes(String(site)) && destination === 'document'
}
