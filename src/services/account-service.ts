// Use cases of an account: registering, proving or changing a password, and changing the name; holds no HTTP, no driver, and of a token only what it says.
import { randomUUID } from 'node:crypto'
import { closingAt, isCrowded, MAX_CLOSINGS } from '../core/closings.js'
import { normaliseEmail, normalisePassword, passwordSpellings, passwordWeakness, spellingsOf } from '../core/credentials.js'
import type { EventKind, RecordEvent } from '../core/events.js'
import { hasFactor, type Factors } from '../core/factors.js'
import type { Guesser } from '../core/failures.js'
import { familyOf, isLive, liveAfter, liveFamilies, newFamily, type Family, type FamilyLimits } from '../core/families.js'
import { SILENT, type Meter } from '../core/metrics.js'
import { AuthError } from '../errors.js'
import type { Hasher, Requester } from '../hashing/hasher.js'
import type { Store, User } from '../store/store.js'
import { isCommonPassword } from './common-passwords.js'
import type { StatusPlaces } from './status-places.js'
import { placesOf, type Guess, type GuessLimits, type Place, type Shown, type Verdict } from './guess-limits.js'
import type { Device } from './rotation.js'
import type { Caller } from './token-service.js'

/** A new account; address and password as they were typed, the address one that `normaliseEmail` takes. Roles are the operator's to give. */
export interface Registration { email: string, password: string, name: string | null, roles?: string[] }

/** What NIST SP 800-63B-4, section 3.1.1.2, asks of a password that is not the only proof. */
const MIN_LENGTH_WITH_FACTOR = 8

export interface AccountParts {
  store: Store
  hasher: Hasher
  passwordMinLength: number
  /** Whether anybody may make an account. */
  registration: 'open' | 'closed' | 'verified'
  /** Whether nobody logs in whose address is not proved. */
  requiresVerifiedEmail?: boolean
  families: FamilyLimits
  /** Undefined: anybody may guess without end. */
  guesses: GuessLimits | undefined
  /** How long a closing counts, in milliseconds. */
  closingRetention: number
  /** Undefined: families have no place in a status list. */
  places: StatusPlaces | undefined
  record: RecordEvent
  meter?: Meter | undefined
}

export class AccountService {
  readonly #store: Store
  readonly #hasher: Hasher
  readonly #passwordMinLength: number
  readonly #registration: AccountParts['registration']
  readonly #requiresVerifiedEmail: boolean
  readonly #families: FamilyLimits
  readonly #guesses: GuessLimits | undefined
  readonly #closingRetention: number
  readonly #places: StatusPlaces | undefined
  readonly #record: RecordEvent
  readonly #meter: Meter

  constructor (parts: AccountParts) {
    this.#store = parts.store
    this.#hasher = parts.hasher
    this.#passwordMinLength = parts.passwordMinLength
    this.#registration = parts.registration
    this.#requiresVerifiedEmail = parts.requiresVerifiedEmail ?? false
    this.#families = parts.families
    this.#guesses = parts.guesses
    this.#closingRetention = parts.closingRetention
    this.#places = parts.places
    this.#record = parts.record
    this.#meter = parts.meter ?? SILENT
  }

  /** Why a new password is refused for an address, both as they were typed, and of whom with these second factors, as a sentence, or undefined. */
  weaknessOf (password: string, email: string, factors?: Factors): string | undefined {
    return passwordWeakness(password, email, { minLength: hasFactor(factors) ? MIN_LENGTH_WITH_FACTOR : this.#passwordMinLength, isCommon: isCommonPassword })
  }

  /** Throws `registration_closed` where not anybody may make an account at once. */
  assertOpen (): void {
    if (this.#registration !== 'open') throw new AuthError('registration_closed')
  }

  /** The new user. `now` in milliseconds. Throws `weak_password`, `email_taken`, `busy`. */
  async register (registration: Registration, device: Device, now: number): Promise<User> {
    const { name, password, roles = [] } = registration
    const email = normaliseEmail(registration.email)!
    // As it was typed: every spelling of the address counts.
    this.#assertStrong(password, registration.email, 'password')
    const others = spellingsOf(registration.email).filter(spelling => spelling !== email)
    if (await this.#findUser(others)) throw new AuthError('email_taken')
    const user: User = { id: randomUUID(), email, name, passwordHash: await this.#hash(password, requesterOf(device, 'stranger')), createdAt: now, families: [], roles }
    if (await this.#store.insertUser(user) === 'email_taken') throw new AuthError('email_taken')
    this.#record({ kind: 'registration.succeeded', at: now, userId: user.id, ...device })
    return user
  }

  /** The hash of a registration's password. Throws `weak_password`, `busy`. */
  async hashNew ({ email, password }: Pick<Registration, 'email' | 'password'>, device: Device): Promise<string> {
    this.#assertStrong(password, email, 'password')
    return await this.#hash(password, requesterOf(device, 'stranger'))
  }

  /** Whose address it is, as it was typed; undefined where it is nobody's. */
  async find (email: string): Promise<User | undefined> {
    return await this.#findUser(spellingsOf(email))
  }

  /**
   * The user of an address and its password, both as they were typed, who logs in by a device that shows this. `now` in milliseconds.
   * Throws `invalid_credentials`, after the same time whether or not there is such a user, or one who is disabled, `rate_limited`, `busy`; after the right password alone `email_not_verified`.
   */
  async authenticate (email: string, password: string, device: Device, now: number, shown: Shown = {}): Promise<User> {
    const user = await this.provePassword(email, password, device, now, shown)
    this.assertVerified(user, device, now)
    return user
  }

  /** Lets a user log in whose address is proved, where it has to be. `now` in milliseconds. Throws `email_not_verified`. */
  assertVerified (user: User, device: Device, now: number): void {
    if (!this.#requiresVerifiedEmail || user.emailVerified === true) return
    this.#record({ kind: 'login.failed', at: now, userId: user.id, ...device, details: { reason: 'email_not_verified' } })
    throw new AuthError('email_not_verified')
  }

  /**
   * The user of an address and its password, both as they were typed, by a device that shows this. `now` in milliseconds.
   * Throws `invalid_credentials`, after the same time whether or not there is such a user, or one who is disabled, `rate_limited`, `busy`.
   */
  async provePassword (email: string, password: string, device: Device, now: number, shown: Shown = {}): Promise<User> {
    const user = await this.#findUser(spellingsOf(email))
    const guess = { email: user?.email ?? normaliseEmail(email) ?? spellingsOf(email)[0]!, user, places: placesOf(user, device.ip, shown, now, this.#families) }
    if (await this.#prove(password, guess, device, now, 'login.limited') === 'right' && user) return user
    this.#record({ kind: 'login.failed', at: now, userId: user?.id, ...device, details: { reason: reasonOf(user) } })
    throw new AuthError('invalid_credentials')
  }

  /** The hash to keep for a password just proved: the user's own, or a new one if today's cost is another. */
  async currentHash (user: User, password: string, device: Device): Promise<string> {
    // Whoever has proved it is no stranger any more.
    return this.#hasher.isCurrent(user.passwordHash) ? user.passwordHash : await this.#hash(password, requesterOf(device, 'known'))
  }

  /**
   * Changes the password, closes every family at once, and returns the one that is opened in their stead. `now` in milliseconds.
   * Throws `wrong_password`, after the last guess that is left to the caller's family closing it; `weak_password`, `invalid_token`, `rate_limited`, `busy`.
   */
  async changePassword (caller: Caller, currentPassword: string, newPassword: string, device: Device, now: number): Promise<Family> {
    const { user, familyId } = caller
    this.#assertStrong(newPassword, user.email, 'new_password', user.factors)
    await this.proveCaller(caller, currentPassword, device, now)
    const passwordHash = await this.#hash(newPassword, requesterOf(device, 'known'))
    const family = newFamily(randomUUID(), device, now, await this.#places?.take(now))
    const [live, closing] = [liveAfter(now, this.#families), closingAt(now, this.#closingRetention)]
    if (await this.#store.changePassword({ userId: user.id, verifiedHash: user.passwordHash, passwordHash, callerId: familyId, live, family, closing })) {
      this.#record({ kind: 'password.changed', at: now, userId: user.id, familyId: family.id, ...device })
      // As they were when the password was proved; whatever was opened since is closed as well.
      this.#record({ kind: 'family.closed', at: now, userId: user.id, ...device, details: { cause: 'password_changed', count: liveFamilies(user.families, now, this.#families).length } })
      return family
    }
    const fresh = await this.#overtaken(caller, now)
    if (isCrowded(fresh.closed, closing, MAX_CLOSINGS)) throw new AuthError('rate_limited', { retryAfter: Math.ceil(this.#closingRetention / 1000) })
    return await this.changePassword({ user: fresh, familyId }, currentPassword, newPassword, device, now)
  }

  /**
   * Deletes the caller's account: nothing personal is left, and every family is closed at once. `now` in milliseconds.
   * Throws `wrong_password`, after the last guess that is left to the caller's family closing it; `invalid_token`, `rate_limited`, `busy`.
   */
  async deleteAccount (caller: Caller, password: string, device: Device, now: number): Promise<void> {
    const { user, familyId } = caller
    await this.proveCaller(caller, password, device, now)
    const proof = { verifiedHash: user.passwordHash, callerId: familyId, live: liveAfter(now, this.#families) }
    if (await this.#store.deleteUser({ userId: user.id, closing: closingAt(now, this.#closingRetention), proof })) {
      // What is left of them goes with the last that is kept of the user.
      await Promise.allSettled([this.#store.dropEventsOf(user.id)])
      this.#record({ kind: 'user.deleted', at: now, userId: user.id })
      return
    }
    await this.deleteAccount({ user: await this.#overtaken(caller, now), familyId }, password, device, now)
  }

  /** Gives the caller another name, one that `normaliseName` made, or none. `now` in milliseconds. Throws `invalid_token` where the caller's family was closed meanwhile. */
  async rename ({ user, familyId }: Caller, name: string | null, now: number): Promise<User> {
    if (await this.#store.rename({ userId: user.id, name, callerId: familyId, live: liveAfter(now, this.#families) })) return { ...user, name }
    throw new AuthError('invalid_token')
  }

  // Another write came first. Either it closed this family, or it left another hash to prove the password against.
  async #overtaken ({ user: { id }, familyId }: Caller, now: number): Promise<User> {
    const user = await this.#store.findUser(id)
    const family = familyOf(user, familyId)
    if (!family || !isLive(family, now, this.#families)) throw new AuthError('invalid_token')
    return user!
  }

  /**
   * Passes who brings the caller's password: whoever has got hold of an access token cannot find it with that. `now` in milliseconds.
   * Throws `wrong_password`, after the last guess that is left to the caller's family closing it; `rate_limited`, `busy`.
   */
  async proveCaller ({ user, familyId }: Caller, password: string, device: Device, now: number): Promise<void> {
    const guess: Guess = { email: user.email, user, places: [{ id: familyId, by: 'device' }] }
    const verdict = await this.#prove(password, guess, device, now, 'password.change_limited')
    if (verdict === 'right') return
    this.#record({ kind: 'password.change_failed', at: now, userId: user.id, familyId, ...device })
    if (verdict === 'spent' && await this.#store.closeFamily({ userId: user.id, familyId, closing: closingAt(now, this.#closingRetention) })) {
      this.#record({ kind: 'family.closed', at: now, userId: user.id, familyId, ...device, details: { cause: 'guesses_spent' } })
    }
    throw new AuthError('wrong_password')
  }

  // An account of before is found by the very spelling that it was made with first. All are asked for, whichever there is, so that the time tells nothing.
  async #findUser (spellings: string[]): Promise<User | undefined> {
    const users = await Promise.all(spellings.map(async spelling => await this.#store.findUserByEmail(spelling)))
    return users.find(user => user !== undefined)
  }

  /** `limited` is the event of a refusal, which is recorded once in a window. */
  async #prove (password: string, guess: Guess, device: Device, now: number, limited: EventKind): Promise<Verdict> {
    // Whoever is disabled is told no sooner, and no less is counted, than with a wrong password.
    const hash = guess.user?.disabledAt === undefined ? guess.user?.passwordHash : undefined
    const verify = async ({ by }: Place) => await this.#hasher.verify(passwordSpellings(password), hash, requesterOf(device, by))
    if (!this.#guesses) return await verify(guess.places[0]!) ? 'right' : 'wrong'
    return await this.#guesses.check(guess, now, verify).catch((error: AuthError) => {
      if (error.code === 'rate_limited') this.#countLimited(limited)
      if (error.code === 'rate_limited' && !error.isRepeated) this.#record({ kind: limited, at: now, userId: guess.user?.id, ...device })
      throw error
    })
  }

  #countLimited (limited: EventKind): void {
    const isLogin = limited === 'login.limited'
    this.#meter.count('signet_rate_limited_total', [isLogin ? 'account' : 'password_change'])
    if (isLogin) this.#meter.count('signet_logins_total', ['limited'])
  }

  async #hash (password: string, requester: Requester): Promise<string> {
    return await this.#hasher.hash(normalisePassword(password), requester)
  }

  #assertStrong (password: string, email: string, field: string, factors?: Factors): void {
    const detail = this.weaknessOf(password, email, factors)
    if (detail) throw new AuthError('weak_password', { detail, errors: [{ field, detail }] })
  }
}

/** Why a log-in was refused, as operators are told, and nobody else. */
function reasonOf (user: User | undefined): 'unknown_address' | 'wrong_password' | 'disabled' {
  if (!user) return 'unknown_address'
  return user.disabledAt === undefined ? 'wrong_password' : 'disabled'
}

function requesterOf ({ ip: address }: Device, by: Guesser): Requester {
  return { address, isKnown: by !== 'stranger' }
}
