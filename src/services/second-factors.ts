// Use cases of a user's second factors: seeing, adding and removing them, and new recovery codes; holds no HTTP, no driver and no log-in.
import { closingAt } from '../core/closings.js'
import type { EventKind, RecordEvent } from '../core/events.js'
import { changed, hasFactor, versionOf, type FactorChange, type Factors, type Method } from '../core/factors.js'
import { familyOf, isLive, liveAfter, liveFamilies, type FamilyLimits } from '../core/families.js'
import { digestOfRecoveryCode, newRecoveryCodes } from '../core/recovery-codes.js'
import { open, seal } from '../core/seals.js'
import { newSeed, stepOf, uriOf, writeSecret } from '../core/totp.js'
import { AuthError } from '../errors.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store } from '../store/store.js'
import { TOTP_AMR } from './factor-proofs.js'
import type { CallerProof, FreshProofs } from './fresh-proofs.js'
import type { Device } from './rotation.js'
import type { Seeds } from './seeds.js'
import type { Enrolment, StepUps } from './step-ups.js'
import type { Caller, IssuedTokens } from './token-service.js'

/** Who adds a factor: a caller, or somebody whose log-in is not done until there is one. */
export type Enroller = Caller | Enrolment

/** A factor that was proved to be the user's. `change` is what it adds to those that there are; `amr` is how a user has proved who it is that proved a password and this. */
export interface Addition { method: Method, amr: string[], change: FactorChange, closesOthers?: boolean | undefined }

/** The recovery codes, with the first factor; and what a log-in was waiting for. */
export interface Added { recoveryCodes: string[] | null, tokens?: IssuedTokens }

/** What an authenticator app is given, and what proves afterwards that it has it. */
export interface TotpOffer { secret: string, uri: string, ticket: string }

export interface TotpConfirmation { ticket: string, code: string, closesOthers?: boolean | undefined }

/** What is sealed in the ticket of an offer: for whom, as long as the factors are the same. `expiresAt` in milliseconds. */
interface Offered { userId: string, version: number, seed: string, expiresAt: number }

export interface SecondFactorParts {
  store: Pick<Store, 'changeFactors' | 'findUser'>
  keyRing: Pick<KeyRing, 'refreshSecret' | 'findSecret'>
  fresh: FreshProofs
  stepUps: Pick<StepUps, 'enrol'>
  seeds: Seeds
  issuer: string
  families: FamilyLimits
  /** How long a closing counts, in milliseconds. */
  closingRetention: number
  record: RecordEvent
}

const OFFER_LIFE_MS = 600_000
/** Whatever overtakes a change so often in a row is no accident. */
const ROUNDS = 5
const BEGIN_ANEW = { errors: [{ field: 'ticket', detail: 'It is over, or not of this account as it is now; begin anew.' }] }

export class SecondFactors {
  readonly #parts: SecondFactorParts

  constructor (parts: SecondFactorParts) {
    this.#parts = parts
  }

  /** Passes who may change the factors, as it stands afterwards. `now` in milliseconds. Throws what `FreshProofs.assert` does. */
  async prove<Who extends Enroller> (enroller: Who, proof: CallerProof, device: Device, now: number): Promise<Who> {
    return 'ticket' in enroller ? enroller : await this.#parts.fresh.assert(enroller, proof, device, now) as Who
  }

  /** A seed for an app of the enroller's, of which nothing is kept before it is confirmed. `now` in milliseconds. Throws `not_supported`, and what `prove` does. */
  async offerTotp (enroller: Enroller, proof: CallerProof, device: Device, now: number): Promise<TotpOffer> {
    const { issuer, keyRing, seeds } = this.#parts
    if (!seeds.isReady) throw new AuthError('not_supported', { detail: 'No authenticator app can be added, for the key ring has no secret to seal its seed with: the operator can make one.' })
    const { user } = await this.prove(enroller, proof, device, now)
    const seed = newSeed()
    const offered: Offered = { userId: user.id, version: versionOf(user.factors), seed: seed.toString('base64url'), expiresAt: now + OFFER_LIFE_MS }
    return { secret: writeSecret(seed), uri: uriOf(seed, { email: user.email, issuer }), ticket: await seal('totp', offered, keyRing.refreshSecret) }
  }

  /** Adds the app that made this code from its seed, in the place of another. `now` in milliseconds. Throws `invalid_request` where the offer is not good any more; `wrong_code`, and what `add` does. */
  async confirmTotp (enroller: Enroller, { ticket, code, closesOthers }: TotpConfirmation, device: Device, now: number): Promise<Added> {
    const { keyRing, seeds } = this.#parts
    const { user } = enroller
    const offered = await open('totp', ticket, keyRing.findSecret) as Offered | undefined
    if (offered?.userId !== user.id || offered.expiresAt <= now || offered.version !== versionOf(user.factors)) throw new AuthError('invalid_request', BEGIN_ANEW)
    const seed = Buffer.from(offered.seed, 'base64url')
    const lastStep = stepOf(code, seed, 0, now)
    if (lastStep === undefined) throw new AuthError('wrong_code')
    const sealed = await seeds.seal(user.id, seed)
    if (sealed === undefined) throw new AuthError('not_supported')
    return await this.add(enroller, { method: 'totp', amr: TOTP_AMR, change: { totp: { seed: sealed, addedAt: now, lastStep } }, closesOthers }, device, now)
  }

  /**
   * Adds a factor, or another in its place, as long as the factors are as the enroller has them; with the first come recovery codes. `now` in milliseconds. Throws `invalid_request`, or of a passkey `invalid_passkey`, where another change came first or the
   * passkey is another user's, `invalid_token`; of a log-in `invalid_ticket`, and what `TokenService.open` does.
   */
  async add (enroller: Enroller, { method, amr, change, closesOthers }: Addition, device: Device, now: number): Promise<Added> {
    const { user } = enroller
    if ('ticket' in enroller && closesOthers) throw new AuthError('invalid_request', { errors: [{ field: 'close_others', detail: 'The log-in is not done yet: log the others out after it.' }] })
    const recoveryCodes = hasFactor(user.factors) ? null : newRecoveryCodes()
    const factors = changed(user.factors, { ...change, ...(recoveryCodes && { recoveryCodes: recoveryCodes.map(digestOfRecoveryCode) }) })
    const tokens = 'ticket' in enroller ? await this.#parts.stepUps.enrol(enroller, { amr, factors }, device, now) : undefined
    if (!('ticket' in enroller)) {
      if (!await this.#keep(enroller, factors, now, closesOthers)) throw method === 'totp' ? new AuthError('invalid_request', BEGIN_ANEW) : new AuthError('invalid_passkey')
      if (method === 'totp' && user.factors?.totp) this.#tell('second_factor.removed', enroller, device, now, method)
      if (closesOthers) this.#tellClosing(enroller, device, now)
    }
    this.#tell('second_factor.added', enroller, device, now, method)
    return { recoveryCodes, ...(tokens && { tokens }) }
  }

  /** Takes the app away; with the last factor go the recovery codes. `now` in milliseconds. Throws `unknown_factor`, and what `prove` does. */
  async removeTotp (caller: Caller, proof: CallerProof & { closesOthers?: boolean | undefined }, device: Device, now: number): Promise<void> {
    await this.remove(caller, proof, 'totp', ({ totp }) => totp && { totp: undefined }, device, now)
  }

  /** Takes a factor away: `without` are the factors without it, undefined where it is not among them. `now` in milliseconds. Throws as `removeTotp` does. */
  async remove (caller: Caller, { closesOthers, ...proof }: CallerProof & { closesOthers?: boolean | undefined }, method: Method, without: (factors: Factors) => FactorChange | undefined, device: Device, now: number): Promise<void> {
    const proved = await this.change(await this.prove(caller, proof, device, now), without, now, closesOthers)
    this.#tell('second_factor.removed', proved, device, now, method)
    if (closesOthers) this.#tellClosing(proved, device, now)
  }

  /** Ten new recovery codes in the place of those that were left. `now` in milliseconds. Throws `unknown_factor` where there is no factor that they stand in for, and what `prove` does. */
  async renewRecoveryCodes (caller: Caller, proof: CallerProof, device: Device, now: number): Promise<string[]> {
    const codes = newRecoveryCodes()
    const proved = await this.change(await this.prove(caller, proof, device, now), factors => hasFactor(factors) ? { recoveryCodes: codes.map(digestOfRecoveryCode) } : undefined, now)
    this.#tell('recovery_codes.made', proved, device, now)
    return codes
  }

  /**
   * Changes the factors of a caller who was proved, and again where another write came first: `changing` are they with the change, undefined where what is to be changed is not among them. The caller as it
   * stands afterwards. `now` in milliseconds. Throws `unknown_factor`, and `invalid_token` where the caller's family was closed meanwhile.
   */
  async change (caller: Caller, changing: (factors: Factors) => FactorChange | undefined, now: number, closesOthers?: boolean): Promise<Caller> {
    let proved = caller
    for (let round = 0; round < ROUNDS; round++) {
      const change = proved.user.factors && changing(proved.user.factors)
      if (!change) throw new AuthError('unknown_factor')
      const factors = changed(proved.user.factors, change)
      if (await this.#keep(proved, factors, now, closesOthers)) return { ...proved, user: { ...proved.user, factors } }
      proved = await this.#overtaken(proved, now)
    }
    throw new AuthError('busy')
  }

  async #keep ({ user, familyId }: Caller, factors: Factors, now: number, closesOthers = false): Promise<boolean> {
    const { closingRetention, families, store } = this.#parts
    return await store.changeFactors({ userId: user.id, from: versionOf(user.factors), factors, caller: { id: familyId, live: liveAfter(now, families) }, closesOthers: closesOthers ? closingAt(now, closingRetention) : undefined })
  }

  async #overtaken (caller: Caller, now: number): Promise<Caller> {
    const user = await this.#parts.store.findUser(caller.user.id)
    const family = familyOf(user, caller.familyId)
    if (!user || !family || !isLive(family, now, this.#parts.families)) throw new AuthError('invalid_token')
    return { ...caller, user }
  }

  #tell (kind: EventKind, enroller: Enroller, device: Device, now: number, method?: Method): void {
    this.#parts.record({ kind, at: now, userId: enroller.user.id, ...('familyId' in enroller && { familyId: enroller.familyId }), ...device, ...(method && { details: { method } }) })
  }

  #tellClosing ({ user, familyId }: Caller, device: Device, now: number): void {
    const count = liveFamilies(user.families, now, this.#parts.families).filter(({ id }) => id !== familyId).length
    if (count > 0) this.#parts.record({ kind: 'family.closed', at: now, userId: user.id, ...device, details: { cause: 'second_factor_changed', count } })
  }
}
