// Use cases of an account: registering and proving or changing a password; holds no HTTP, no driver, no token.
import { randomUUID } from 'node:crypto'
import { fitsBcrypt, passwordWeakness } from '../core/credentials.js'
import { isLive, liveAfter, newFamily, type Family, type FamilyLimits } from '../core/families.js'
import { AuthError } from '../errors.js'
import type { Hasher, Requester } from '../hashing/hasher.js'
import type { Store, User } from '../store/store.js'
import type { Caller, Device } from './token-service.js'

/** A new account, its members normalised. */
export interface Registration { email: string, password: string, name: string | null }

export interface AccountParts {
  store: Store
  hasher: Hasher
  passwordMinLength: number
  families: FamilyLimits
}

export class AccountService {
  readonly #store: Store
  readonly #hasher: Hasher
  readonly #passwordMinLength: number
  readonly #families: FamilyLimits

  constructor (parts: AccountParts) {
    this.#store = parts.store
    this.#hasher = parts.hasher
    this.#passwordMinLength = parts.passwordMinLength
    this.#families = parts.families
  }

  /** The new user. `now` in milliseconds. Throws `weak_password`, `email_taken`, `busy`. */
  async register (registration: Registration, device: Device, now: number): Promise<User> {
    const { email, name, password } = registration
    this.#assertStrong(password, email, 'password')
    const user: User = { id: randomUUID(), email, name, passwordHash: await this.#hasher.hash(password, requesterOf(device)), createdAt: now, families: [] }
    if (await this.#store.insertUser(user) === 'email_taken') throw new AuthError('email_taken')
    return user
  }

  /** The user of an address and its password, normalised. Throws `invalid_credentials`, after the same time whether or not there is such a user. */
  async authenticate (email: string, password: string, device: Device): Promise<User> {
    const user = await this.#store.findUserByEmail(email)
    if (await this.#isPassword(password, user, device) && user) return user
    throw new AuthError('invalid_credentials')
  }

  /** The hash to keep for a password just proved: the user's own, or a new one if today's cost is another. */
  async currentHash (user: User, password: string, device: Device): Promise<string> {
    return this.#hasher.isCurrent(user.passwordHash) ? user.passwordHash : await this.#hasher.hash(password, requesterOf(device, user))
  }

  /**
   * Changes the password, closes every family at once, and returns the one that is opened in their stead. `now` in milliseconds.
   * Throws `wrong_password`, `weak_password`, `invalid_token`, `busy`.
   */
  async changePassword (caller: Caller, currentPassword: string, newPassword: string, device: Device, now: number): Promise<Family> {
    const { user, familyId } = caller
    this.#assertStrong(newPassword, user.email, 'new_password')
    if (!await this.#isPassword(currentPassword, user, device)) throw new AuthError('wrong_password')
    const passwordHash = await this.#hasher.hash(newPassword, requesterOf(device, user))
    const family = newFamily(randomUUID(), device, now)
    const live = liveAfter(now, this.#families)
    if (await this.#store.changePassword({ userId: user.id, verifiedHash: user.passwordHash, passwordHash, callerId: familyId, live, family })) return family
    // Another write came first. Either it closed this family, or it left another hash to prove the password against.
    const fresh = await this.#store.findUser(user.id)
    if (!fresh?.families.some(family => family.id === familyId && isLive(family, now, this.#families))) throw new AuthError('invalid_token')
    return await this.changePassword({ user: fresh, familyId }, currentPassword, newPassword, device, now)
  }

  // A password that bcrypt would cut is nobody's, but takes as long to refuse.
  async #isPassword (password: string, user: User | undefined, device: Device): Promise<boolean> {
    return await this.#hasher.verify(password, fitsBcrypt(password) ? user?.passwordHash : undefined, requesterOf(device, user))
  }

  #assertStrong (password: string, email: string, field: string): void {
    const detail = passwordWeakness(password, email, this.#passwordMinLength)
    if (detail) throw new AuthError('weak_password', { detail, errors: [{ field, detail }] })
  }
}

function requesterOf ({ ip: address }: Device, user?: User): Requester {
  return { address, isKnown: user !== undefined && user.families.some(({ ip }) => ip === address) }
}
