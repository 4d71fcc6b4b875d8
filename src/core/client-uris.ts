// What a URI of a client must be: one that a browser may be sent to, in its one spelling; holds no list of them and no comparison.
import { LOOPBACK_HOSTS } from './redirect-uris.js'

const MAX_LENGTH = 1000
/** RFC 3986, section 2, without the # of a fragment. */
const CHARACTERS = /^(?:[\w\-.~:/?[\]@!$&'()+,;=]|%[\dA-Fa-f]{2})+$/
const EMPTY_PATH = /^(https?:\/\/[^/?]+)(?=\?|$)/
/** What Signet adds to a redirect URI (RFC 6749, sections 4.1.2 and 4.1.2.1, and RFC 9207); nothing of it may come twice. */
const ANSWERED = new Set(['code', 'state', 'iss', 'error', 'error_description', 'error_uri'])

/** Where a URI may lead: over the web alone, or to an application on the same device as well, by a scheme of its own (RFC 8252, section 7.1). */
export type Reach = 'web' | 'web and applications'

/** Why a client cannot have this URI, as the end of a sentence that begins with it, or undefined. */
export function uriFault (uri: string, reach: Reach): string | undefined {
  if (uri.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  if (!URL.canParse(uri)) return 'is no absolute URI'
  const url = new URL(uri)
  if (uri.includes('#')) return 'has a fragment'
  if (uri.includes('*')) return 'has a *, which stands for nothing but itself: name each URI'
  if (url.username || url.password) return 'names a user'
  return schemeFault(url, reach) ?? spellingFault(uri, url)
}

/** The same of a redirect URI (RFC 6749, section 3.1.2; RFC 9700, section 4.1.3). */
export function redirectUriFault (uri: string, reach: Reach): string | undefined {
  const fault = uriFault(uri, reach)
  if (fault) return fault
  const twice = [...new URL(uri).searchParams.keys()].find(name => ANSWERED.has(name))
  return twice && `has a parameter ${twice} of its own, which is one of the answer`
}

function schemeFault ({ protocol, hostname }: URL, reach: Reach): string | undefined {
  if (protocol === 'https:') return undefined
  if (protocol === 'http:') return LOOPBACK_HOSTS.includes(hostname) ? undefined : 'is plain HTTP, which is for 127.0.0.1, [::1] and localhost alone'
  // The name of a domain turned round, so that nobody else has it.
  if (!protocol.includes('.')) return `has the scheme ${protocol}, which is neither https: nor one of an application's own, such as com.example.app:`
  return reach === 'web' ? 'has a scheme of its own, which is for redirect URIs of public clients alone (token_endpoint_auth_method none)' : undefined
}

// What is compared character by character must not be written in two ways.
function spellingFault (uri: string, { href }: URL): string | undefined {
  if (!CHARACTERS.test(href)) return 'has a character that must be percent-encoded'
  return href === uri || href === uri.replace(EMPTY_PATH, '$1/') ? undefined : `has another spelling: write ${href}`
}
