// Use cases of a log-in by a passkey, instead of a password or beside it; holds no HTTP, no driver, and not how an answer is verified.
import { randomBytes } from 'node:crypto'
import type { RecordEvent } from '../core/events.js'
import { changed, isSpent, spend, type Factors } from '../core/factors.js'
import { CHALLENGE_BYTES, CHALLENGE_LIFE_MS, readChallenge, writeChallenge } from '../core/passkey-challenges.js'
import { AuthError } from '../errors.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store, User } from '../store/store.js'
import type { AccountService } from './account-service.js'
import type { Shown } from './guess-limits.js'
import type { Device } from './rotation.js'
import type { IssuedTokens, TokenService } from './token-service.js'
import { challengeOf, describe, handleOf, isCopied, readAssertion, userOfHandle, type AuthenticationResponse, type RelyingParty, type RequestOptions } from './webauthn.js'

export interface PasskeyLogInParts {
  store: Pick<Store, 'findUser'>
  keyRing: Pick<KeyRing, 'refreshSecret' | 'findSecret'>
  accounts: Pick<AccountService, 'assertVerified'>
  tokens: Pick<TokenService, 'open'>
  rp: RelyingParty
  record: RecordEvent
}

/** How a user has proved who it is by a passkey (RFC 8176, section 2): there was a key, and whoever has it was asked for a finger or a PIN; and by one beside the password. */
export const PASSKEY_AMR = ['pop', 'user', 'mfa']
export const SECOND_AMR = ['pwd', ...PASSKEY_AMR]

/** Why a passkey lets nobody in, as operators are told. */
export type PasskeyFault = 'unknown_passkey' | 'wrong_passkey' | 'copied_passkey'

/** For whom options are that anybody may use. */
const ANYBODY = ''

export class PasskeyLogIns {
  readonly #parts: PasskeyLogInParts

  constructor (parts: PasskeyLogInParts) {
    this.#parts = parts
  }

  /** What a browser logs in by, with any passkey that the person chooses. `now` in milliseconds. */
  begin (now: number): RequestOptions {
    return this.#options(ANYBODY, [], now)
  }

  /** What a browser uses one of a user's passkeys by, beside the password. `now` in milliseconds. Throws `unknown_factor` where the user has none. */
  beginFor (user: User, now: number): RequestOptions {
    const passkeys = user.factors?.passkeys ?? []
    if (passkeys.length === 0) throw new AuthError('unknown_factor')
    return this.#options(user.id, passkeys.map(describe), now)
  }

  /**
   * Opens a family for the user whose passkey this is, in the place of the one that the device holds a token of. `now` in milliseconds.
   * Throws `passkey_refused`, whoever it is and whatever is wrong; after a passkey that is right alone `email_not_verified`, `too_many_active_tokens`, `rate_limited`.
   */
  async logIn (answer: AuthenticationResponse, device: Device, { family: held, devices = [], overLimit }: Shown, now: number): Promise<IssuedTokens> {
    const userId = userOfHandle(answer.response.userHandle)
    // Asked before anything is done.
    overLimit?.(devices.some(shown => shown.userId === userId) ? userId : undefined)
    const user = userId === undefined ? undefined : await this.#parts.store.findUser(userId)
    const factors = await this.#use(user, answer, ANYBODY, now)
    if (typeof factors === 'string') return this.#refuse(user, factors, device, now)
    if (user!.disabledAt !== undefined) return this.#refuse(user, 'disabled', device, now)
    this.#parts.accounts.assertVerified(user!, device, now)
    const issued = await this.#parts.tokens.open(user!, user!.passwordHash, device, now, held, devices, { amr: PASSKEY_AMR, factors })
    // Another write came first, by which the passkey may be used up or gone.
    return issued ?? await this.logIn(answer, device, { family: held, devices }, now)
  }

  /** A user's factors once this answer to `beginFor` is used up, in their next version; undefined where it is not good. `now` in milliseconds. */
  async prove (user: User, answer: AuthenticationResponse, now: number): Promise<Factors | undefined> {
    const factors = await this.#use(user, answer, user.id, now)
    return typeof factors === 'string' ? undefined : factors
  }

  async #use (user: User | undefined, answer: AuthenticationResponse, whose: string, now: number): Promise<Factors | PasskeyFault> {
    const { keyRing, rp } = this.#parts
    const passkey = user?.factors?.passkeys.find(({ id }) => id === answer.id)
    // An authenticator that was told which of its passkeys is meant need not say whose it is.
    if (!user || !passkey || (answer.response.userHandle ?? handleOf(user.id)) !== handleOf(user.id)) return 'unknown_passkey'
    const challenge = challengeOf(answer.response.clientDataJSON, rp)
    const spent = readChallenge('log-in-by-passkey', whose, challenge, now, keyRing.findSecret)
    if (!spent || isSpent(user.factors, spent)) return 'wrong_passkey'
    const used = await readAssertion(answer, challenge, passkey, rp)
    if (!used) return 'wrong_passkey'
    if (isCopied(passkey, used)) return 'copied_passkey'
    return spend(changed(user.factors, { passkeys: user.factors!.passkeys.map(other => other === passkey ? { ...passkey, ...used, lastUsedAt: now } : other) }), spent, now)
  }

  #options (whose: string, allowCredentials: RequestOptions['allowCredentials'], now: number): RequestOptions {
    const { keyRing, rp } = this.#parts
    return { challenge: writeChallenge('log-in-by-passkey', whose, randomBytes(CHALLENGE_BYTES), now, keyRing.refreshSecret), rpId: rp.id, timeout: CHALLENGE_LIFE_MS, allowCredentials, userVerification: 'required' }
  }

  #refuse (user: User | undefined, reason: PasskeyFault | 'disabled', device: Device, now: number): never {
    this.#parts.record({ kind: 'login.failed', at: now, userId: user?.id, ...device, details: { reason } })
    throw new AuthError('passkey_refused')
  }
}
