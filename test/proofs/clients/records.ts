// The clients of the proof: as Signet keeps them, and as their programs are told of them; holds no program.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { makeSecret, type Client } from '../../../src/core/client.js'

/** What a program is told of a client, by the names of RFC 7591. */
export interface Told { client_id: string, client_secret?: string, jwk?: object }

export const RESOURCE = 'https://orders.example'
export const OTHER_RESOURCE = 'https://invoices.example'

/** `web` proves itself by Basic, `post` in the form, `key` by a signature, `public` and `ours`, for which nobody is asked, not at all; `service` has no users. People come back to pages at `home`. `now` in milliseconds. */
export function makeClients (home: string, now: number): { records: Client[], told: Record<string, Told> } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }
  const { secret, kept } = makeSecret(now)
  const secrets = [kept]
  const client = (name: string, more: Partial<Client>): Client => ({
    id: randomUUID(), version: 1, name, redirectUris: [callbackAt(home)], grantTypes: ['authorization_code', 'refresh_token'], authMethod: 'client_secret_basic', secrets: [],
    scopes: ['orders'], audiences: [RESOURCE, OTHER_RESOURCE], postLogoutRedirectUris: [afterLogOutAt(home)], isOurs: false, requiresPkce: true, createdAt: now, ...more,
  })
  const records = {
    web: client('Web', { secrets }),
    post: client('Post', { authMethod: 'client_secret_post', secrets }),
    key: client('Key', { authMethod: 'private_key_jwt', jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }] } }),
    public: client('Public', { authMethod: 'none' }),
    ours: client('Ours', { authMethod: 'none', isOurs: true }),
    service: client('Service', { redirectUris: [], grantTypes: ['client_credentials'], secrets }),
  }
  const told = Object.entries(records).map(([name, { id, authMethod }]) => [name, { client_id: id, ...(authMethod.startsWith('client_secret') && { client_secret: secret }), ...(authMethod === 'private_key_jwt' && { jwk }) }])
  return { records: Object.values(records), told: Object.fromEntries(told) as Record<string, Told> }
}

export function callbackAt (home: string): string {
  return `${home}/callback`
}

export function afterLogOutAt (home: string): string {
  return `${home}/bye`
}
