// Use cases of a log-in that takes more than a password: what it goes on with, and its end; holds no HTTP, no driver and no kind of factor.
import { randomBytes } from 'node:crypto'
import type { DeviceClaims } from '../core/device-token.js'
import type { RecordEvent } from '../core/events.js'
import { hasFactor, isSpent, methodsOf, spend } from '../core/factors.js'
import type { FamilyLimits } from '../core/families.js'
import type { RefreshClaims } from '../core/refresh-token.js'
import { open, seal } from '../core/seals.js'
import { AuthError } from '../errors.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store, User } from '../store/store.js'
import { digestOf } from './authorizations.js'
import type { CodeGuesses } from './code-guesses.js'
import { broughtOf, type Brought, type FactorProofs, type Proved } from './factor-proofs.js'
import { placesOf, type Shown } from './guess-limits.js'
import type { Device } from './rotation.js'
import type { IssuedTokens, SecondProof, TokenService } from './token-service.js'

/** What a log-in goes on with (it is sealed, not stored), once. `expiresAt` in milliseconds. */
export interface LogInTicket {
  id: string
  userId: string
  /** Of the account as it was when the password was proved. */
  stand: string
  /** The one to keep from now on, where that is another. */
  passwordHash?: string
  /** Where the user has no factor and must add one. */
  enrols?: true
  /** What the device tokens said that were shown. */
  devices: DeviceClaims[]
  expiresAt: number
}

/** A log-in that is not done until its user has a second factor. */
export interface Enrolment { user: User, ticket: LogInTicket, held?: RefreshClaims | undefined }

export interface StepUpParts {
  store: Pick<Store, 'findUser'>
  keyRing: Pick<KeyRing, 'refreshSecret' | 'findSecret'>
  tokens: Pick<TokenService, 'open'>
  proofs: FactorProofs
  guesses: CodeGuesses
  families: FamilyLimits
  /** Whether who has no factor must add one to log in. */
  isRequired: boolean
  record: RecordEvent
}

const TICKET_LIFE_MS = 300_000
const ID_BYTES = 16
/** Whatever overtakes a log-in so often in a row is no accident. */
const ROUNDS = 5

export class StepUps {
  readonly #parts: StepUpParts

  constructor (parts: StepUpParts) {
    this.#parts = parts
  }

  /** Passes whose password is enough. `passwordHash` is what is to be kept of it, `now` in milliseconds. Throws `second_factor_required`, with a ticket. */
  async assertEnough (user: User, passwordHash: string, devices: DeviceClaims[], now: number): Promise<void> {
    const enrols = !hasFactor(user.factors)
    if (enrols && !this.#parts.isRequired) return
    const ticket: LogInTicket = {
      id: randomBytes(ID_BYTES).toString('base64url'), userId: user.id, stand: standOf(user), ...(passwordHash !== user.passwordHash && { passwordHash }), ...(enrols && { enrols }),
      devices: devices.filter(({ userId }) => userId === user.id), expiresAt: now + TICKET_LIFE_MS,
    }
    throw new AuthError('second_factor_required', { members: { ticket: await seal('second-factor', ticket, this.#parts.keyRing.refreshSecret), expires_in: TICKET_LIFE_MS / 1000, methods: methodsOf(user.factors), ...(enrols && { enrol: true }) } })
  }

  /**
   * The pair for a ticket and a second factor: what that leaves and the family are one write, so that of those who bring the same one gets in. `now` in milliseconds.
   * Throws `invalid_ticket`, `invalid_second_factor`, `too_many_active_tokens`, `rate_limited`.
   */
  async complete (ticket: string, brought: Brought, device: Device, now: number, shown: Shown): Promise<IssuedTokens> {
    const claims = await this.#read(ticket, now)
    const devices = [...claims.devices, ...shown.devices ?? []]
    for (let round = 0; round < ROUNDS; round++) {
      const user = await this.#holderOf(claims)
      const { method, amr, factors } = await this.#prove(user, brought, device, now, { ...shown, devices })
      const issued = await this.#open(user, claims, { amr, factors }, device, now, shown.family, devices)
      if (!issued) continue
      if (method === 'recovery_code') this.#parts.record({ kind: 'recovery_codes.used', at: now, userId: user.id, ...device, details: { count: factors.recoveryCodes.length } })
      return issued
    }
    throw new AuthError('busy')
  }

  /** Whose log-in it is that a ticket goes on with. `now` in milliseconds. Throws `invalid_ticket`. */
  async holder (ticket: string, now: number): Promise<User> {
    return await this.#holderOf(await this.#read(ticket, now))
  }

  /** Whose log-in waits for a second factor of the user's, who has none. `now` in milliseconds. Throws `invalid_ticket`. */
  async enrolment (ticket: string, now: number): Promise<Enrolment> {
    const claims = await this.#read(ticket, now)
    const user = await this.#holderOf(claims)
    if (!claims.enrols || hasFactor(user.factors)) throw new AuthError('invalid_ticket')
    return { user, ticket: claims }
  }

  /** The pair that a log-in was waiting for: the first factor and the family are one write. `now` in milliseconds. Throws `invalid_ticket` where another change came first, `too_many_active_tokens`, `rate_limited`. */
  async enrol ({ user, ticket, held }: Enrolment, { amr, factors }: SecondProof, device: Device, now: number): Promise<IssuedTokens> {
    return await this.#open(user, ticket, { amr, factors }, device, now, held, ticket.devices) ?? refuse()
  }

  async #read (ticket: string, now: number): Promise<LogInTicket> {
    const claims = await open('second-factor', ticket, this.#parts.keyRing.findSecret) as LogInTicket | undefined
    return claims && claims.expiresAt > now ? claims : refuse()
  }

  async #open (user: User, { id, passwordHash, expiresAt }: LogInTicket, { amr, factors }: SecondProof, device: Device, now: number, held: RefreshClaims | undefined, devices: DeviceClaims[]): Promise<IssuedTokens | undefined> {
    return await this.#parts.tokens.open(user, passwordHash ?? user.passwordHash, device, now, held, devices, { amr, factors: spend(factors, { id, until: expiresAt }, now) })
  }

  async #holderOf ({ id, userId, stand, expiresAt }: LogInTicket): Promise<User> {
    const user = await this.#parts.store.findUser(userId)
    if (!user || user.disabledAt !== undefined || standOf(user) !== stand || isSpent(user.factors, { id, until: expiresAt })) return refuse()
    return user
  }

  async #prove (user: User, brought: Brought, device: Device, now: number, shown: Shown): Promise<Proved> {
    const { families, guesses, proofs, record } = this.#parts
    const { proof, what } = broughtOf(proofs, brought)
    const places = placesOf(user, device.ip, shown, now, families)
    const verify = async () => await proof.prove(user, what, now)
    const factors = proof.isGuessable ? await guesses.check(user, places, device, now, verify) : await verify()
    if (factors) return { method: proof.method, amr: proof.amr, factors }
    record({ kind: 'second_factor.failed', at: now, userId: user.id, ...device, details: { method: proof.method } })
    throw new AuthError('invalid_second_factor')
  }
}

// Of the password, and of the last time that the account was disabled.
function standOf ({ passwordHash, lastDisabledAt = 0 }: User): string {
  return digestOf(`${passwordHash} ${lastDisabledAt}`)
}

function refuse (): never {
  throw new AuthError('invalid_ticket')
}
