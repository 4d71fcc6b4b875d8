// What a client finds out by itself of this authority (RFC 8414; OpenID Connect Discovery 1.0); holds no rule that it tells of.
import type { FastifyInstance } from 'fastify'
import { ACR_VALUES } from '../../core/assurance.js'
import { ALGORITHMS } from '../../core/client-keys.js'
import { STANDARD_SCOPES } from '../../core/scopes.js'
import { addressBelow } from '../edge/issuer.js'
import { addReading, openDescription, ref } from '../edge/route.js'
import { MetadataDTO } from './dto.js'

/** Where each door is, below the issuer. */
export const DOORS = {
  authorization_endpoint: '/authorize', token_endpoint: '/token', revocation_endpoint: '/revoke', introspection_endpoint: '/introspect',
  userinfo_endpoint: '/userinfo', end_session_endpoint: '/end-session', jwks_uri: '/.well-known/jwks.json',
} as const
/** Those at which a client proves who it is. */
export const PROVING = [DOORS.token_endpoint, DOORS.revocation_endpoint, DOORS.introspection_endpoint]
const LISTS = { status_list_aggregation_endpoint: '/status-lists' }

const METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']
const NAMES = ['oauth-authorization-server', 'openid-configuration']

/** The facts, of an issuer that publishes status lists or none. */
export function metadata (issuer: string, hasLists: boolean): Record<string, unknown> {
  const addresses = Object.entries({ ...DOORS, ...(hasLists && LISTS) }).map(([name, path]) => [name, addressBelow(issuer, path)])
  return {
    issuer,
    ...Object.fromEntries(addresses),
    scopes_supported: STANDARD_SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: [...METHODS, 'none'],
    token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    revocation_endpoint_auth_methods_supported: [...METHODS, 'none'],
    revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    introspection_endpoint_auth_methods_supported: METHODS,
    introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    authorization_response_iss_parameter_supported: true,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    acr_values_supported: ACR_VALUES,
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'at_hash', 'sid', 'amr', 'acr', 'name', 'email', 'email_verified'],
    prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  }
}

/** Serves them under both names; and where the issuer has a path, also where that path comes last (RFC 8414, section 3.1). */
export function addMetadata (app: FastifyInstance, issuer: string, hasLists: boolean, maxAge: number): void {
  const facts = metadata(issuer, hasLists)
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  for (const [at, name] of NAMES.entries()) {
    const description = openDescription({
      operationId: at === 0 ? 'getAuthorizationServer' : 'getOpenIdProvider', tag: 'clients', summary: 'What a client has to know of this authority', description: 'RFC 8414, and OpenID Connect Discovery 1.0.',
    }, { 200: { description: 'The facts', ...ref(MetadataDTO) } })
    const urls = [`/.well-known/${name}`, ...(path ? [`/.well-known/${name}${path}`] : [])]
    for (const url of urls) {
      addReading(app, url, url.endsWith(name) ? description : { ...description, schema: { hide: true } }, (_request, reply) => reply.headers({ 'cache-control': `public, max-age=${maxAge}`, 'access-control-allow-origin': '*' }).send(facts))
    }
  }
}
