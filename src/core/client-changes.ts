// What becomes of a client when it is made or changed, and when its secret is rotated; holds no rule of metadata and no storage.
import { randomUUID } from 'node:crypto'
import { makeSecret, type AuthMethod, type Client } from './client.js'
import type { ClientSettings } from './client-metadata.js'

/** The client as it is to be kept, and the secret that it got, which nobody sees again. */
export interface Changed { client: Client, secret?: string | undefined }

/** Two are good at once while one is replaced; more would be forgotten. */
const MAX_SECRETS = 2

/** A new client. `now` in milliseconds, here as below. */
export function makeClient (settings: ClientSettings, now: number): Changed {
  return withSecret({ id: randomUUID(), version: 1, ...settings, secrets: [], createdAt: now }, now)
}

/** A client with other settings. It gets a secret when it begins to need one, and loses those that it needs no more. */
export function changeSettings ({ id, version, secrets, createdAt }: Client, settings: ClientSettings, now: number): Changed {
  return withSecret({ id, version: version + 1, ...settings, secrets, createdAt }, now)
}

/** A client with one secret more. */
export function rotateSecret (client: Client, now: number): Changed | { refused: 'no_secret' | 'two_secrets' } {
  if (!needsSecret(client.authMethod)) return { refused: 'no_secret' }
  if (client.secrets.length === MAX_SECRETS) return { refused: 'two_secrets' }
  const { secret, kept } = makeSecret(now)
  return { client: { ...client, version: client.version + 1, secrets: [...client.secrets, kept] }, secret }
}

/** A client with its newest secret alone. */
export function retireSecret (client: Client): Changed | { refused: 'no_secret' | 'one_secret' } {
  if (!needsSecret(client.authMethod)) return { refused: 'no_secret' }
  if (client.secrets.length < MAX_SECRETS) return { refused: 'one_secret' }
  return { client: { ...client, version: client.version + 1, secrets: client.secrets.slice(-1) } }
}

function withSecret (client: Client, now: number): Changed {
  if (!needsSecret(client.authMethod)) return { client: { ...client, secrets: [] } }
  if (client.secrets.length > 0) return { client }
  const { secret, kept } = makeSecret(now)
  return { client: { ...client, secrets: [kept] }, secret }
}

function needsSecret (authMethod: AuthMethod): boolean {
  return authMethod === 'client_secret_basic' || authMethod === 'client_secret_post'
}
