// Whether an address is one that a client registered; holds no address.

/** Where a native application listens, as a URL names it (RFC 8252, section 7.3). */
export const LOOPBACK_HOSTS = ['127.0.0.1', '[::1]', 'localhost']
/** RFC 8252, section 7.3: a native application listens on a port that is free just then. */
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::(\d{1,5}))?([/?].*)?$/

/** Compared character by character (RFC 9700, section 2.1), but for the port of a loopback address. */
export function isRedirectUriOf (registered: string[], uri: string): boolean {
  if (registered.includes(uri)) return true
  const asked = splitLoopback(uri)
  return asked !== undefined && registered.some(one => splitLoopback(one) === asked)
}

/** A loopback address without its port; undefined of any other, and of a port that there is not. */
function splitLoopback (uri: string): string | undefined {
  const [, host, port = '80', path = ''] = LOOPBACK.exec(uri) ?? []
  return host === undefined || Number(port) > 65_535 || Number(port) === 0 ? undefined : `${host}${path}`
}

/** The address with these parameters added to its query (RFC 6749, section 4.1.2). */
export function withParameters (uri: string, parameters: Record<string, string | undefined>): string {
  const added = new URLSearchParams(Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()
  if (added === '') return uri
  return `${uri}${uri.includes('?') ? '&' : '?'}${added}`
}
