// How a client is said in metadata (RFC 7591, section 2; OpenID Connect Registration 1.0, section 2), read by rules and written; holds no file, no flag and no storage.
import type { AuthMethod, Client, GrantType } from './client.js'
import { readKeySet } from './client-keys.js'
import { redirectUriFault, uriFault } from './client-uris.js'
import { NAME_MAX_LENGTH, normaliseName } from './credentials.js'
import { scopesOf, STANDARD_SCOPES } from './scopes.js'

/** What metadata says of a client. */
export type ClientSettings = Omit<Client, 'id' | 'version' | 'secrets' | 'createdAt'>

/** Members by their names; one that is null is not there. */
export type Metadata = Record<string, unknown>

/** What is wrong with one member, as a sentence. */
export interface MetadataFault { field: string, detail: string }

/** What a client is by its metadata, and the names of what was said that changes nothing; or all that is wrong. */
export type MetadataVerdict = { settings: ClientSettings, ignored: string[] } | { faults: MetadataFault[] }

const GRANT_TYPES: GrantType[] = ['authorization_code', 'refresh_token', 'client_credentials']
const AUTH_METHODS: AuthMethod[] = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']
const MOST = { uris: 20, scopes: 50, audiences: 20 }
/** RFC 6749, section 3.3. */
const SCOPE = /^[!#-[\]-~]{1,100}$/
/** A name, or a URI without a fragment (RFC 8707, section 2). */
const AUDIENCE = /^[!"$-~]{1,300}$/

const READ = [
  'client_name', 'redirect_uris', 'grant_types', 'token_endpoint_auth_method', 'jwks', 'jwks_uri', 'scope', 'audiences', 'post_logout_redirect_uris', 'first_party', 'require_pkce',
]
/** What Signet says itself. */
const ISSUED = ['client_id', 'client_secret', 'client_id_issued_at', 'client_secret_expires_at', 'client_secrets_issued_at']
/** What tells people something, in other languages as well (RFC 7591, section 2.2), and is shown nowhere. */
const INFORMATIVE = /^(?:(?:client_uri|logo_uri|tos_uri|policy_uri)(?:#.*)?|client_name#.*|contacts|software_id|software_version|initiate_login_uri)$/
/** What may be said where it is what Signet does anyway. */
const FIXED: Record<string, unknown[]> = {
  response_types: [['code'], []],
  application_type: ['web', 'native'],
  subject_type: ['public'],
  id_token_signed_response_alg: ['RS256'],
  token_endpoint_auth_signing_alg: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
  require_auth_time: [true, false],
  require_signed_request_object: [false],
  require_pushed_authorization_requests: [false],
  dpop_bound_access_tokens: [false],
  tls_client_certificate_bound_access_tokens: [false],
  backchannel_logout_session_required: [false],
  frontchannel_logout_session_required: [false],
}

/** Reads the metadata of a client that is to be. What is not said has RFC 7591's defaults, and Signet's where it has none. */
export function readMetadata (metadata: Metadata): MetadataVerdict {
  const members = new Members(metadata)
  const authMethod = members.oneOf('token_endpoint_auth_method', AUTH_METHODS, 'client_secret_basic')
  const reach = authMethod === 'none' ? 'web and applications' : 'web'
  const redirectUris = members.texts('redirect_uris', MOST.uris, uri => redirectUriFault(uri, reach))
  const settings: ClientSettings = {
    name: members.name('client_name'),
    redirectUris,
    grantTypes: members.someOf('grant_types', GRANT_TYPES, members.has('redirect_uris') || authMethod === 'none' ? ['authorization_code', 'refresh_token'] : ['client_credentials']),
    authMethod,
    ...members.keys(),
    scopes: members.scopes('scope'),
    audiences: members.texts('audiences', MOST.audiences, audience => AUDIENCE.test(audience) ? undefined : 'is not of 1 to 300 characters of ASCII without blanks and without #'),
    postLogoutRedirectUris: members.texts('post_logout_redirect_uris', MOST.uris, uri => redirectUriFault(uri, reach)),
    isOurs: members.flag('first_party', false),
    requiresPkce: members.flag('require_pkce', true),
  }
  const ignored = members.others()
  judgeTogether(settings, members)
  return members.faults.length > 0 ? { faults: members.faults } : { settings, ignored }
}

/** Reads what changes of a client: the members that are named, and no other. What `describeClient` says of it beside its metadata may be named as it is. */
export function changeMetadata (client: Client, changes: Metadata): MetadataVerdict {
  const said: Metadata = describeClient(client)
  const news = Object.entries(changes).filter(([name, value]) => !ISSUED.includes(name) || JSON.stringify(value) !== JSON.stringify(said[name]))
  // Its keys are in one place: those that are named come in the stead of those that were.
  const { jwks, jwks_uri: jwksUri, ...others } = metadataOf(client)
  const keys = 'jwks' in changes || 'jwks_uri' in changes ? {} : { jwks, jwks_uri: jwksUri }
  return readMetadata({ ...others, ...keys, ...Object.fromEntries(news) })
}

/** What an authority answers of a client (RFC 7591, section 3.2.1), with its secret where it was just made. */
export function registrationOf (client: Client, secret?: string | undefined): Metadata {
  const issued = { client_id: client.id, client_id_issued_at: seconds(client.createdAt) }
  return { ...issued, ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }), ...metadataOf(client) }
}

/** The same of a client whose secrets nobody knows any more: since when each is good, in seconds. */
export function describeClient (client: Client): Metadata {
  return { ...registrationOf(client), ...(client.secrets.length > 0 && { client_secrets_issued_at: client.secrets.map(({ createdAt }) => seconds(createdAt)) }) }
}

/** Metadata that says all that a client is. */
export function metadataOf (settings: ClientSettings): Metadata {
  const scope = scopesOf(settings).join(' ')
  return {
    client_name: settings.name,
    redirect_uris: settings.redirectUris,
    grant_types: settings.grantTypes,
    response_types: settings.grantTypes.includes('authorization_code') ? ['code'] : [],
    token_endpoint_auth_method: settings.authMethod,
    ...(settings.jwks && { jwks: settings.jwks }),
    ...(settings.jwksUri !== undefined && { jwks_uri: settings.jwksUri }),
    ...(scope !== '' && { scope }),
    audiences: settings.audiences,
    post_logout_redirect_uris: settings.postLogoutRedirectUris,
    first_party: settings.isOurs,
    require_pkce: settings.requiresPkce,
  }
}

function seconds (milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}

function judgeTogether ({ redirectUris, grantTypes, authMethod, jwks, jwksUri, requiresPkce }: ClientSettings, members: Members): void {
  const isPublic = authMethod === 'none'
  const logsIn = grantTypes.includes('authorization_code')
  const hasKeys = members.has('jwks') || members.has('jwks_uri')
  if (logsIn && redirectUris.length === 0) members.refuseWhole('redirect_uris', 'The grant type authorization_code needs one at least.')
  if (grantTypes.includes('refresh_token') && !logsIn) members.refuseWhole('grant_types', 'A refresh_token comes of an authorization_code, so that needs to be there, too.')
  if (isPublic && grantTypes.includes('client_credentials')) members.refuseWhole('grant_types', 'A public client (token_endpoint_auth_method none) has no credentials, and so no client_credentials.')
  if (isPublic && !requiresPkce) members.refuseWhole('require_pkce', 'A public client (token_endpoint_auth_method none) cannot do without PKCE.')
  if (jwks && jwksUri !== undefined) members.refuseWhole('jwks_uri', 'A client has its keys in jwks or at jwks_uri, and not in both.')
  if (authMethod === 'private_key_jwt' && !hasKeys) members.refuseWhole('jwks', 'The method private_key_jwt needs the public keys of the client, in jwks or at jwks_uri.')
  if (authMethod !== 'private_key_jwt' && hasKeys) members.refuseWhole('token_endpoint_auth_method', 'Keys are for the method private_key_jwt alone: name it, or leave jwks and jwks_uri out.')
}

/** The members of metadata as they are read, and what is found wrong with them. Of a member that cannot be used what stands in its place is what is used where it is not there. */
class Members {
  readonly faults: MetadataFault[] = []
  readonly #given: Map<string, unknown>

  constructor (metadata: Metadata) {
    this.#given = new Map(Object.entries(metadata).filter(([, value]) => value !== null && value !== undefined))
  }

  has (field: string): boolean {
    return this.#given.has(field)
  }

  refuse (field: string, detail: string): void {
    this.faults.push({ field, detail })
  }

  /** What is wrong with a member beside others is said where nothing is wrong with it alone. */
  refuseWhole (field: string, detail: string): void {
    if (!this.faults.some(fault => fault.field === field)) this.refuse(field, detail)
  }

  name (field: string): string {
    const given = this.#text(field)
    const name = given === undefined ? undefined : normaliseName(given)
    if (given === undefined) this.refuseWhole(field, 'A client needs a name, which people are shown.')
    else if (name === undefined) this.refuse(field, `A name has from 1 to ${NAME_MAX_LENGTH} characters that are seen, in one line.`)
    return name ?? ''
  }

  flag (field: string, fallback: boolean): boolean {
    const given = this.#given.get(field) ?? fallback
    if (typeof given === 'boolean') return given
    this.refuse(field, 'It must be true or false.')
    return fallback
  }

  oneOf<Value extends string> (field: string, values: Value[], fallback: Value): Value {
    const given = this.#given.get(field) ?? fallback
    if (values.includes(given as Value)) return given as Value
    this.refuse(field, `It must be one of ${values.join(', ')}.`)
    return fallback
  }

  someOf<Value extends string> (field: string, values: Value[], fallback: Value[]): Value[] {
    const given = this.#given.get(field) ?? fallback
    if (Array.isArray(given) && given.length > 0 && given.every(value => values.includes(value as Value))) return values.filter(value => given.includes(value))
    this.refuse(field, `It must be a list of one or more of ${values.join(', ')}.`)
    return fallback
  }

  /** Each once, in the order in which they are given. `faultOf` says why one cannot be, as the end of a sentence. */
  texts (field: string, most: number, faultOf: (text: string) => string | undefined): string[] {
    const given = this.#given.get(field) ?? []
    if (!Array.isArray(given) || given.length > most || !given.every(text => typeof text === 'string')) {
      this.refuse(field, `It must be a list of texts, ${most} at the most.`)
      return []
    }
    for (const text of given) {
      const fault = faultOf(text)
      if (fault) this.refuse(field, `${quoted(text)} ${fault}.`)
    }
    return [...new Set(given)]
  }

  /** Those beside the standard ones. */
  scopes (field: string): string[] {
    const given = new Set((this.#text(field) ?? '').split(' ').filter(scope => scope !== ''))
    for (const scope of given) if (!SCOPE.test(scope)) this.refuse(field, `${quoted(scope)} is no scope: that is of 1 to 100 characters of ASCII without quotation marks, backslashes and blanks (RFC 6749, section 3.3).`)
    const own = [...given].filter(scope => !STANDARD_SCOPES.includes(scope))
    if (own.length > MOST.scopes) this.refuse(field, `There may be ${MOST.scopes} at the most.`)
    return own
  }

  keys (): Pick<ClientSettings, 'jwks' | 'jwksUri'> {
    const jwks = this.has('jwks') ? readKeySet(this.#given.get('jwks')) : undefined
    const jwksUri = this.#text('jwks_uri')
    const fault = jwksUri === undefined ? undefined : uriFault(jwksUri, 'web')
    if (typeof jwks === 'string') this.refuse('jwks', jwks)
    if (fault) this.refuse('jwks_uri', `${quoted(jwksUri!)} ${fault}.`)
    return { ...(typeof jwks === 'object' && { jwks }), ...(jwksUri !== undefined && { jwksUri }) }
  }

  /** Looks at what no rule has read: the names of what changes nothing. Whatever else is there is a slip, or asks for what nobody would get. */
  others (): string[] {
    const others = [...this.#given].filter(([field]) => !READ.includes(field))
    for (const [field, value] of others) {
      const fixed = Object.hasOwn(FIXED, field) ? FIXED[field] : undefined
      if (ISSUED.includes(field)) this.refuse(field, 'Signet says that itself: leave it out.')
      else if (fixed && !fixed.some(one => JSON.stringify(one) === JSON.stringify(value))) this.refuse(field, `It can be ${fixed.map(one => JSON.stringify(one)).join(' or ')} and nothing else.`)
      else if (!fixed && !INFORMATIVE.test(field)) this.refuse(field, 'Signet does nothing of that name: leave it out.')
    }
    return others.map(([field]) => field).filter(field => INFORMATIVE.test(field))
  }

  #text (field: string): string | undefined {
    const given = this.#given.get(field)
    if (given === undefined || typeof given === 'string') return given
    this.refuse(field, 'It must be a text.')
    return undefined
  }
}

/** Not more of it than a person reads. */
function quoted (text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}
