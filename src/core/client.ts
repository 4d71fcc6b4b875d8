// What a client of the authority is, and what proves its secret; holds no rule of its metadata and no storage.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

export type GrantType = 'authorization_code' | 'refresh_token' | 'client_credentials'

/** How a client proves who it is at the token endpoint (RFC 7591, section 2; OpenID Connect Core 1.0, section 9). */
export type AuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'

/** A secret as it is kept: its SHA-256 in base64url, which is enough for 256 random bits. */
export interface ClientSecret { hash: string, createdAt: number }

/** A client of the authority (RFC 7591, section 2). Times in milliseconds. */
export interface Client {
  /** A random UUID. */
  id: string
  /** 1, and one more at each change, which is conditional on it. */
  version: number
  name: string
  /** As they were written: they are compared character by character. */
  redirectUris: string[]
  grantTypes: GrantType[]
  authMethod: AuthMethod
  /** Two at the most, the newest last; each is good. */
  secrets: ClientSecret[]
  jwks?: { keys: object[] } | undefined
  jwksUri?: string | undefined
  /** What it may ask for beside openid, profile, email and offline_access, which every client may. */
  scopes: string[]
  /** What it may name as `resource`, the default first; without any, its tokens are for the issuer alone. */
  audiences: string[]
  postLogoutRedirectUris: string[]
  /** Whether it belongs to the authority itself: then nobody is asked for consent. */
  isOurs: boolean
  /** False for confidential clients alone. */
  requiresPkce: boolean
  createdAt: number
}

const SECRET_BYTES = 32

/** A new secret, in base64url, and what is kept of it. `now` in milliseconds. */
export function makeSecret (now: number): { secret: string, kept: ClientSecret } {
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  return { secret, kept: { hash: digestOf(secret).toString('base64url'), createdAt: now } }
}

/** Whether this is one of the client's secrets. How long it takes does not depend on how much of it is right. */
export function isSecretOf ({ secrets }: Pick<Client, 'secrets'>, secret: string): boolean {
  const digest = digestOf(secret)
  return secrets.map(({ hash: kept }) => timingSafeEqual(Buffer.from(kept, 'base64url'), digest)).includes(true)
}

function digestOf (secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}
