// Use cases of an account: registering and proving or changing a password; holds no HTTP, no driver, no token.
import { randomUUID } from 'node:crypto'
import { normaliseEmail, normalisePassword, passwordWeakness, spellingsOf } from '../core/credentials.js'
import { AuthError } from '../errors.js'
import type { Hasher, Requester } from '../hashing/hasher.js'
import type { Store, User } from '../store/store.js'
import type { Device } from './token-service.js'

/** A new account; address and password as they were typed, the address one that `normaliseEmail` takes. */
export interface Registration { email: string, password: string, name: string | null }

export interface AccountParts { store: Store, hasher: Hasher, passwordMinLength: number }

export class AccountService {
  readonly #store: Store
  readonly #hasher: Hasher
  readonly #passwordMinLength: number

  constructor (parts: AccountParts) {
    this.#store = parts.store
    this.#hasher = parts.hasher
    this.#passwordMinLength = parts.passwordMinLength
  }

  /** The new user. `now` in milliseconds. Throws `weak_password`, `email_taken`, `busy`. */
  async register (registration: Registration, device: Device, now: number): Promise<User> {
    const { name, password } = registration
    const email = normaliseEmail(registration.email)!
    this.#assertStrong(password, email, 'password')
    const others = spellingsOf(registration.email).filter(spelling => spelling !== email)
    if (await this.#findUser(others)) throw new AuthError('email_taken')
    const user: User = { id: randomUUID(), email, name, passwordHash: await this.#hash(password, requesterOf(device)), createdAt: now, families: [] }
    if (await this.#store.insertUser(user) === 'email_taken') throw new AuthError('email_taken')
    return user
  }

  /** The user of an address and its password, both as they were typed. Throws `invalid_credentials`, after the same time whether or not there is such a user. */
  async authenticate (email: string, password: string, device: Device): Promise<User> {
    const user = await this.#findUser(spellingsOf(email))
    if (await this.#isPassword(password, user, device) && user) return user
    throw new AuthError('invalid_credentials')
  }

  /** The hash to keep for a password just proved: the user's own, or a new one if today's cost is another. */
  async currentHash (user: User, password: string, device: Device): Promise<string> {
    return this.#hasher.isCurrent(user.passwordHash) ? user.passwordHash : await this.#hash(password, requesterOf(device, user))
  }

  /** Changes the password and closes every other family at once. Throws `wrong_password`, `weak_password`, `invalid_token`. */
  async changePassword (caller: { user: User, familyId: string }, currentPassword: string, newPassword: string, device: Device): Promise<void> {
    const { user, familyId } = caller
    this.#assertStrong(newPassword, user.email, 'new_password')
    if (!await this.#isPassword(currentPassword, user, device)) throw new AuthError('wrong_password')
    const passwordHash = await this.#hash(newPassword, requesterOf(device, user))
    if (await this.#store.changePassword({ userId: user.id, verifiedHash: user.passwordHash, passwordHash, keepFamilyId: familyId })) return
    // Another write came first. Either it closed this family, or it left another hash to prove the password against.
    const fresh = await this.#store.findUser(user.id)
    if (!fresh?.families.some(family => family.id === familyId)) throw new AuthError('invalid_token')
    await this.changePassword({ user: fresh, familyId }, currentPassword, newPassword, device)
  }

  // An account of before is found by the very spelling that it was made with first. All are asked for, whichever there is, so that the time tells nothing.
  async #findUser (spellings: string[]): Promise<User | undefined> {
    const users = await Promise.all(spellings.map(async spelling => await this.#store.findUserByEmail(spelling)))
    return users.find(user => user !== undefined)
  }

  async #isPassword (password: string, user: User | undefined, device: Device): Promise<boolean> {
    return await this.#hasher.verify(normalisePassword(password), user?.passwordHash, requesterOf(device, user))
  }

  async #hash (password: string, requester: Requester): Promise<string> {
    return await this.#hasher.hash(normalisePassword(password), requester)
  }

  #assertStrong (password: string, email: string, field: string): void {
    const detail = passwordWeakness(password, email, this.#passwordMinLength)
    if (detail) throw new AuthError('weak_password', { detail, errors: [{ field, detail }] })
  }
}

function requesterOf ({ ip: address }: Device, user?: User): Requester {
  return { address, isKnown: user !== undefined && user.families.some(({ ip }) => ip === address) }
}
