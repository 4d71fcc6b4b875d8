// Use cases of the end of a session that a client asks for (OpenID Connect RP-Initiated Logout 1.0); holds no HTTP and no page.
import type { Client } from '../core/client.js'
import { closingAt } from '../core/closings.js'
import type { Cause } from '../core/events.js'
import { familyOf } from '../core/families.js'
import type { Parameters } from '../core/parameters.js'
import { open, seal } from '../core/seals.js'
import type { AuthorizationParts, Session } from './authorizations.js'
import type { Device } from './rotation.js'

/** What a client asks for: where the browser goes afterwards, and whose log-in its ID token tells of. */
export interface LogOut { client: Client | undefined, location: { uri: string, state: string | undefined } | undefined, hint: { userId: string, familyId: string, clientId: string } | undefined }

interface Decision { session: string, asked: Omit<LogOut, 'client'>, expiresAt: number }

const DECISION_LIFE_MS = 600_000

export class LogOuts {
  readonly #parts: AuthorizationParts

  constructor (parts: AuthorizationParts) {
    this.#parts = parts
  }

  /** What is asked for (section 2); undefined where the address is none that the client registered, or the ID token is another client's: then nobody is sent anywhere (section 3). `now` in milliseconds. */
  async read ({ values, repeated }: Parameters, now: number): Promise<LogOut | undefined> {
    const [clientId, idToken, uri] = [values.get('client_id'), values.get('id_token_hint'), values.get('post_logout_redirect_uri')]
    const hint = this.#readHint(idToken)
    if (repeated.length > 0 || (hint && clientId !== undefined && hint.clientId !== clientId)) return undefined
    const id = clientId ?? hint?.clientId ?? audienceOf(idToken)
    const client = id === undefined ? undefined : await this.#parts.clients.find(id, now)
    if (uri !== undefined && !client?.postLogoutRedirectUris.includes(uri)) return undefined
    return { client, hint, location: uri === undefined ? undefined : { uri, state: values.get('state') } }
  }

  /** Whether nobody need be asked: there is no log-in, or the client knows whose it is. */
  isUnasked ({ hint }: LogOut, session: Session | undefined): boolean {
    return !session || hint?.userId === session.user.id
  }

  /** What the person is asked to decide, sealed with the log-in. `now` in milliseconds. */
  async ask ({ hint, location }: LogOut, { family }: Session, now: number): Promise<string> {
    const decision: Decision = { session: family.id, asked: { hint, location }, expiresAt: now + DECISION_LIFE_MS }
    return await seal('log-out', decision, this.#parts.keyRing.refreshSecret)
  }

  /** Where the person goes who decided it, after the log-in has ended; undefined where the page stood open for too long, or asked somebody else. `now` in milliseconds. */
  async confirm (decision: string, session: Session, device: Device, now: number): Promise<{ location: LogOut['location'] } | undefined> {
    const decided = await open('log-out', decision, this.#parts.keyRing.findSecret) as Decision | undefined
    if (!decided || decided.session !== session.family.id || decided.expiresAt <= now) return undefined
    await this.end(decided.asked, session, device, now)
    return { location: decided.asked.location }
  }

  /** Closes the log-in of the browser, and what the client was let do by the log-in that its ID token tells of. `now` in milliseconds. */
  async end ({ hint }: Pick<LogOut, 'hint'>, session: Session | undefined, device: Device, now: number): Promise<void> {
    if (hint && await this.#isClients(hint)) await this.#close(hint, 'client_logout', device, now)
    if (session) await this.#close({ userId: session.user.id, familyId: session.family.id }, 'logout', device, now)
  }

  async #close ({ userId, familyId, clientId }: { userId: string, familyId: string, clientId?: string }, cause: Cause, device: Device, now: number): Promise<void> {
    const { closingRetention, record, store } = this.#parts
    const wasOpen = await store.closeFamily({ userId, familyId, closing: closingAt(now, closingRetention) })
    if (wasOpen) record({ kind: 'family.closed', at: now, userId, clientId, familyId, ...device, details: { cause } })
  }

  async #isClients ({ userId, familyId, clientId }: NonNullable<LogOut['hint']>): Promise<boolean> {
    return familyOf(await this.#parts.store.findUser(userId), familyId)?.grant?.clientId === clientId
  }

  #readHint (idToken: string | undefined): LogOut['hint'] {
    if (idToken === undefined) return undefined
    try {
      const { iss, sub, sid, aud } = this.#parts.keyRing.readIdToken(idToken) as Record<'iss' | 'sub' | 'sid' | 'aud', string>
      return iss === this.#parts.issuer ? { userId: sub, familyId: sid, clientId: aud } : undefined
    } catch {
      return undefined
    }
  }
}

// Of one by a key that is no more, as after a rotation: which client asks counts as little as a client_id, and the person is asked.
function audienceOf (idToken = ''): string | undefined {
  try {
    const { aud } = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as { aud?: unknown }
    return String(aud)
  } catch {
    return undefined
  }
}
