// How a client proves who it is at the token endpoint and its neighbours (RFC 6749, section 2.3; RFC 7523); holds no HTTP and no grant.
import { isSecretOf, type AuthMethod, type Client } from '../core/client.js'
import type { RecordEvent } from '../core/events.js'
import { SILENT, type Meter } from '../core/metrics.js'
import type { Parameters } from '../core/parameters.js'
import { RecentCounts } from '../core/recent-counts.js'
import { AuthError, OAuthError } from '../errors.js'
import { ClientAssertions } from './client-assertions.js'
import type { Clients } from './clients.js'

/** What a request says of its client: the Authorization header and the form. `address` is where it comes from. */
export interface ClientProof { authorization: string | undefined, values: Parameters['values'], address: string }

/** How often an address may be wrong about one client's secret; the window in milliseconds. */
export interface SecretLimits { window: number, max: number }

export interface ClientAuthenticationParts {
  clients: Clients
  /** Whom an assertion may be meant for: the issuer, and the endpoint that is asked (RFC 7523, section 3). */
  audiences: string[]
  /** Undefined: anybody may guess without end. */
  limits: SecretLimits | undefined
  record: RecordEvent
  meter?: Meter | undefined
}

/** A client as it names itself, and by what it proves that. */
interface Claim { id: string, method: AuthMethod, proof: string }

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Base64 (RFC 7617, section 2). */
const BASIC = /^basic +([A-Za-z\d+/]+={0,2})$/i
/** Of how many addresses and clients failures are remembered. */
const REMEMBERED = 10_000

export class ClientAuthentication {
  readonly #parts: ClientAuthenticationParts
  readonly #assertions: ClientAssertions
  readonly #wrong: RecentCounts | undefined

  constructor (parts: ClientAuthenticationParts) {
    this.#parts = parts
    this.#assertions = new ClientAssertions(parts.audiences)
    this.#wrong = parts.limits && new RecentCounts(parts.limits.window, REMEMBERED)
  }

  /**
   * The client that a request comes from, which says so in one way alone: the one of its record. `now` in milliseconds. Throws `invalid_request`, `invalid_client`, and `rate_limited` where an address was wrong
   * about a client too often. Whoever knows the secret is never kept out: it cannot be guessed, and nobody can shut a client out by guessing.
   */
  async authenticate ({ authorization, values, address }: ClientProof, now: number): Promise<Client> {
    const claim = readClaim(authorization, values)
    const client = await this.#parts.clients.find(claim.id, now)
    if (client?.authMethod === claim.method && await this.#isProved(client, claim, now)) return client
    this.#count(address, client?.id, now)
    throw new OAuthError('invalid_client', client && client.authMethod !== claim.method ? `This client authenticates by ${client.authMethod}.` : 'There is no such client, or it is not proved that this is it.')
  }

  async #isProved (client: Client, { method, proof }: Claim, now: number): Promise<boolean> {
    if (method === 'none') return true
    if (method === 'private_key_jwt') return await this.#assertions.isOf(client, proof, now)
    return isSecretOf(client, proof)
  }

  // What comes beyond the limit is told once, so that no flood of it fills the store.
  #count (ip: string, clientId: string | undefined, now: number): void {
    const { limits, record, meter = SILENT } = this.#parts
    // Ids that are nobody's count as one, so that no flood of them fills the memory.
    const count = this.#wrong?.add(`${ip} ${clientId ?? ''}`, now)
    if (!limits || count === undefined || count <= limits.max) {
      record({ kind: 'client.authentication_failed', at: now, clientId, ip })
      return
    }
    meter.count('signet_rate_limited_total', ['client'])
    const isRepeated = count > limits.max + 1
    if (!isRepeated) record({ kind: 'client.authentication_limited', at: now, clientId, ip })
    throw new AuthError('rate_limited', { retryAfter: Math.ceil(limits.window / 1000), isRepeated })
  }
}

function readClaim (authorization: string | undefined, values: Parameters['values']): Claim {
  const basic = authorization === undefined ? undefined : readBasic(authorization)
  const [id, secret, assertion] = [values.get('client_id'), values.get('client_secret'), values.get('client_assertion')]
  if ([basic, secret, assertion].filter(proof => proof !== undefined).length > 1) throw new OAuthError('invalid_request', 'A client proves who it is in one way alone.')
  if (basic) {
    if (id !== undefined && id !== basic.id) throw new OAuthError('invalid_request', 'The client_id of the form is another than that of the Authorization header.')
    return basic
  }
  if (assertion !== undefined) {
    if (values.get('client_assertion_type') !== JWT_BEARER) throw new OAuthError('invalid_request', `The client_assertion_type must be ${JWT_BEARER}.`)
    return { id: id ?? subjectOf(assertion), method: 'private_key_jwt', proof: assertion }
  }
  if (id === undefined) throw new OAuthError('invalid_client', 'The request names no client.')
  return secret === undefined ? { id, method: 'none', proof: '' } : { id, method: 'client_secret_post', proof: secret }
}

// Both parts are encoded as in a form first (RFC 6749, section 2.3.1).
function readBasic (authorization: string): Claim {
  const [, encoded = ''] = BASIC.exec(authorization) ?? []
  const [id = '', secret] = Buffer.from(encoded, 'base64').toString().split(/:(.*)/s)
  if (secret === undefined) throw new OAuthError('invalid_client', 'The Authorization header must be of the scheme Basic.')
  try {
    return { id: decodeForm(id), method: 'client_secret_basic', proof: decodeForm(secret) }
  } catch {
    throw new OAuthError('invalid_client', 'The Authorization header is not encoded as a form.')
  }
}

function decodeForm (text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

/** Whom an assertion says it is of, which is looked at later. */
function subjectOf (assertion: string): string {
  try {
    const { sub } = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as { sub?: unknown }
    return String(sub)
  } catch {
    return ''
  }
}
