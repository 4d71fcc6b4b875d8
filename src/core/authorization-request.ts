// What a client asks for at the authorization endpoint (RFC 6749, section 4.1.1; OpenID Connect Core 1.0, section 3.1.2.1), read and checked; holds no session and no answer.
import { readAcrValues } from './assurance.js'
import type { Client } from './client.js'
import type { Parameters } from './parameters.js'
import { isChallenge } from './pkce.js'
import { scopeForUser } from './scopes.js'

/** A refusal in the words of a standard, and a sentence for whoever builds a client. */
export interface Refusal { error: string, description: string }

export interface AuthorizationRequest {
  client: Client
  redirectUri: string
  state: string | undefined
  scope: string[]
  audience: string[]
  challenge: string | undefined
  nonce: string | undefined
  prompts: string[]
  /** The levels of assurance of which one is wanted. */
  acrValues: string[]
  /** In seconds. */
  maxAge: number | undefined
  loginHint: string | undefined
  idTokenHint: string | undefined
}

/** OpenID Connect Core 1.0, section 3.1.2.1; `select_account` is answered as `login` is. */
const PROMPTS = ['none', 'login', 'consent', 'select_account']
/** A name that a description may repeat: what a parameter is called elsewhere may hold what it must not (RFC 6749, section 4.1.2.1). */
const NAME = /^[a-z_]{1,40}$/
/** What is kept in the code, or goes back with it, travels in an address. */
const MAX_LENGTH = { nonce: 512, scope: 2_000, state: 4_000 }

/** What a client asks for, whose redirect URI was checked already. `fallback` is for whom its tokens are where its record names nobody. */
export function readAuthorizationRequest ({ values, lists, repeated }: Parameters, client: Client, redirectUri: string, fallback: string): AuthorizationRequest | Refusal {
  const refuse = (error: string, description: string): Refusal => ({ error, description })
  if (repeated[0] !== undefined) return refuse('invalid_request', `${NAME.test(repeated[0]) ? `The parameter ${repeated[0]}` : 'A parameter'} came twice.`)
  if (values.has('request')) return refuse('request_not_supported', 'Request objects are not supported.')
  if (values.has('request_uri')) return refuse('request_uri_not_supported', 'Request objects are not supported.')
  if (values.has('registration')) return refuse('registration_not_supported', 'A request cannot register a client.')
  const responseType = values.get('response_type')
  if (responseType === undefined) return refuse('invalid_request', 'The parameter response_type is missing.')
  if (responseType !== 'code') return refuse('unsupported_response_type', 'The only response_type is code.')
  if ((values.get('response_mode') ?? 'query') !== 'query') return refuse('invalid_request', 'The only response_mode is query.')
  if (!client.grantTypes.includes('authorization_code')) return refuse('unauthorized_client', 'This client may not use the grant type authorization_code.')
  const fault = faultOfChallenge(values, client) ?? faultOfPrompt(values)
  if (fault) return refuse('invalid_request', fault)
  for (const name of ['nonce', 'scope', 'state'] as const) if ((values.get(name) ?? '').length > MAX_LENGTH[name]) return refuse('invalid_request', `The parameter ${name} has more than ${MAX_LENGTH[name]} characters.`)
  const audience = audienceFor(lists.get('resource'), client, fallback)
  if (!audience) return refuse('invalid_target', 'This client may have no tokens for that resource.')
  const scope = scopeForUser(values.get('scope'), client)
  if (scope.length === 0) return refuse('invalid_scope', 'This client may have none of the scopes that it asks for.')
  return {
    client, redirectUri, scope, audience,
    state: values.get('state'),
    challenge: values.get('code_challenge'),
    nonce: values.get('nonce'),
    prompts: promptsOf(values),
    acrValues: readAcrValues(values.get('acr_values')),
    maxAge: values.has('max_age') ? Number(values.get('max_age')) : undefined,
    loginHint: values.get('login_hint'),
    idTokenHint: values.get('id_token_hint'),
  }
}

/** For whom tokens are, of what a client asks for (RFC 8707, section 2); undefined where it may not ask for one of it. `fallback` is for whom they are where its record names nobody. */
export function audienceFor (resources: string[] | undefined, { audiences }: Pick<Client, 'audiences'>, fallback: string): string[] | undefined {
  const allowed = audiences.length > 0 ? audiences : [fallback]
  const wanted = [...new Set(resources ?? allowed.slice(0, 1))]
  return wanted.every(resource => allowed.includes(resource)) ? wanted : undefined
}

// Without a method the challenge would be plain (RFC 7636, section 4.3), which shows the verifier to whoever sees the request.
function faultOfChallenge (values: Parameters['values'], { requiresPkce }: Client): string | undefined {
  const [challenge, method] = [values.get('code_challenge'), values.get('code_challenge_method')]
  if (challenge === undefined) return requiresPkce || method !== undefined ? 'The parameter code_challenge is missing: this client must use PKCE.' : undefined
  if (method !== 'S256') return 'The parameter code_challenge_method must be S256.'
  return isChallenge(challenge) ? undefined : 'The parameter code_challenge must be a SHA-256 in base64url.'
}

function faultOfPrompt (values: Parameters['values']): string | undefined {
  const prompts = promptsOf(values)
  if (!prompts.every(prompt => PROMPTS.includes(prompt))) return `The parameter prompt takes ${PROMPTS.join(', ')}.`
  if (prompts.includes('none') && prompts.length > 1) return 'The prompt none stands alone.'
  return /^(\d{1,9})?$/.test(values.get('max_age') ?? '') ? undefined : 'The parameter max_age must be whole seconds.'
}

function promptsOf (values: Parameters['values']): string[] {
  return (values.get('prompt') ?? '').split(' ').filter(Boolean)
}
