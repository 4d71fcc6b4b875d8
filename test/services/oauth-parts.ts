// Clients, log-ins and codes over real parts, for the tests of the services of OAuth; holds no double of any of them.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { AuthorizationRequest } from '../../src/core/authorization-request.js'
import type { Client } from '../../src/core/client.js'
import { readParameters, type Parameters } from '../../src/core/parameters.js'
import { Authorizations, type Session } from '../../src/services/authorizations.js'
import { ClientTokens } from '../../src/services/client-tokens.js'
import { Clients } from '../../src/services/clients.js'
import type { Redemption } from '../../src/services/codes.js'
import { LogOuts } from '../../src/services/log-outs.js'
import type { TokenParts } from '../../src/services/token-service.js'
import { DEVICE, ISSUER, NOW, openServices } from './parts.js'

// RFC 7636, appendix B.
export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
export const REDIRECT_URI = 'https://app.example/cb'
export const [API, OTHER_API] = ['https://api.example', 'https://other.example']
export const TTL_MS = 600_000

/** A client that nobody has to let in, and that may do everything. */
export function ownClient (changes: Partial<Client> = {}): Client {
  return {
    id: randomUUID(), version: 1, name: 'Application', redirectUris: [REDIRECT_URI], grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'], authMethod: 'client_secret_basic', secrets: [],
    scopes: ['read', 'write'], audiences: [API, OTHER_API], postLogoutRedirectUris: ['https://app.example/bye'], isOurs: true, requiresPkce: true, createdAt: NOW, ...changes,
  }
}

export function parametersOf (pairs: Record<string, string | undefined>): Parameters {
  return readParameters(new URLSearchParams(Object.entries(pairs).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString())!
}

/** What a token says, whoever it is of. */
export function claimsOf (token: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(token!.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
}

/** The services of OAuth over a store with one user; `changes` are other settings. */
export async function openOAuth (t: Test, changes: Partial<TokenParts> = {}) {
  const services = await openServices(t, 4, undefined, changes)
  const { store, user, login } = services
  const parts = { ...services.parts, clients: new Clients(store), issuer: ISSUER }
  const [authorizations, clientTokens, logOuts] = [new Authorizations(parts), new ClientTokens(parts), new LogOuts(parts)]
  const addClient = async (changes: Partial<Client> = {}) => {
    const client = ownClient(changes)
    await store.insertClient(client)
    return client
  }
  const changeClient = async (client: Client, changes: Partial<Client>) => {
    const changed = { ...client, ...changes, version: client.version + 1 }
    await store.replaceClient(changed, client.version)
    return changed
  }
  const logIn = async (now = NOW) => (await authorizations.session((await login(now)).refreshToken, now))!
  const request = (client: Client, asked: Record<string, string | undefined> = {}) => authorizations.read(
    parametersOf({ response_type: 'code', scope: 'openid offline_access read', code_challenge: CHALLENGE, code_challenge_method: 'S256', ...asked }),
    { client, redirectUri: asked['redirect_uri'] ?? client.redirectUris[0]! }
  ) as AuthorizationRequest
  const next = async (client: Client, session: Session | undefined, asked: Record<string, string | undefined> = {}, now = NOW, askedAt?: number) => await authorizations.next(request(client, asked), session, askedAt, DEVICE, now)
  /** A code of a client that nobody has to let in, by a log-in of its own unless one is given. */
  const codeFor = async (client: Client, asked: Record<string, string | undefined> = {}, now = NOW, session?: Session) => {
    const step = await next(client, session ?? await logIn(now), asked, now)
    if (step.kind !== 'code') throw new Error(`not a code, but ${JSON.stringify(step)}`)
    return step.code
  }
  const redeem = async (client: Client, code: string, changes: Partial<Redemption> = {}, now = NOW) => await clientTokens.redeem(client, { code, redirectUri: REDIRECT_URI, verifier: VERIFIER, resources: undefined, ...changes }, now)
  /** What a client gets for a code that is asked for so. */
  const letIn = async (client: Client, asked: Record<string, string | undefined> = {}, now = NOW, session?: Session) => await redeem(client, await codeFor(client, asked, now, session), {}, now)
  const stands = async () => (await store.findUser(user.id))!
  const grants = async () => (await stands()).families.filter(({ grant }) => grant !== undefined)
  return { ...services, parts, authorizations, clientTokens, logOuts, addClient, changeClient, logIn, request, next, codeFor, redeem, letIn, stands, grants }
}
