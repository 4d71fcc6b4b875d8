// Use cases of a user's passkeys: making one, adding it under a name, renaming and removing it; holds no HTTP, no driver, no log-in, and not how an answer is verified.
import { randomBytes } from 'node:crypto'
import { ALGORITHMS } from '../core/cose-keys.js'
import { changed, hasFactor, isSpent, spend, type Factors, type Passkey } from '../core/factors.js'
import { CHALLENGE_BYTES, CHALLENGE_LIFE_MS, readChallenge, writeChallenge } from '../core/passkey-challenges.js'
import { AuthError } from '../errors.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { CallerProof } from './fresh-proofs.js'
import { SECOND_AMR } from './passkey-log-ins.js'
import type { Device } from './rotation.js'
import type { Added, Enroller, SecondFactors } from './second-factors.js'
import type { Caller } from './token-service.js'
import { challengeOf, describe, handleOf, readRegistration, type CreationOptions, type RegistrationResponse, type RelyingParty } from './webauthn.js'

export interface PasskeyParts {
  keyRing: Pick<KeyRing, 'refreshSecret' | 'findSecret'>
  secondFactors: Pick<SecondFactors, 'prove' | 'add' | 'change' | 'remove'>
  rp: RelyingParty
}

/** So many a user may have. */
export const MAX_PASSKEYS = 10

/** A passkey to be added, under a name that `normaliseName` made. */
export interface NewPasskey { answer: RegistrationResponse, name: string, closesOthers?: boolean | undefined }

export class Passkeys {
  readonly #parts: PasskeyParts

  constructor (parts: PasskeyParts) {
    this.#parts = parts
  }

  /** What the enroller's browser makes a passkey by. `now` in milliseconds. Throws `too_many_passkeys`, and what `SecondFactors.prove` does. */
  async begin (enroller: Enroller, proof: CallerProof, device: Device, now: number): Promise<CreationOptions> {
    const { keyRing, rp: { id }, secondFactors } = this.#parts
    const { user } = await secondFactors.prove(enroller, proof, device, now)
    assertRoom(user.factors)
    return {
      rp: { id, name: id },
      user: { id: handleOf(user.id), name: user.email, displayName: user.name ?? user.email },
      challenge: writeChallenge('add-passkey', ownerOf(enroller), randomBytes(CHALLENGE_BYTES), now, keyRing.refreshSecret),
      pubKeyCredParams: ALGORITHMS.map(alg => ({ type: 'public-key', alg })),
      timeout: CHALLENGE_LIFE_MS,
      excludeCredentials: passkeysOf(user.factors).map(describe),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      attestation: 'none',
    }
  }

  /**
   * Adds the passkey that was made by what the enroller began, which had the proof. `now` in milliseconds.
   * Throws `invalid_passkey`, `passkey_exists`, `too_many_passkeys`, and what `SecondFactors.add` does, also where the passkey is another user's.
   */
  async add (enroller: Enroller, { answer, name, closesOthers }: NewPasskey, device: Device, now: number): Promise<Added & { passkey: Passkey }> {
    const { keyRing, rp, secondFactors } = this.#parts
    const { factors } = enroller.user
    const challenge = challengeOf(answer.response.clientDataJSON, rp)
    const spent = readChallenge('add-passkey', ownerOf(enroller), challenge, now, keyRing.findSecret)
    if (!spent || isSpent(factors, spent)) throw new AuthError('invalid_passkey')
    assertRoom(factors)
    const made = await readRegistration(answer, challenge, rp)
    if (!made) throw new AuthError('invalid_passkey')
    if (passkeyOf(factors, made.id)) throw new AuthError('passkey_exists')
    const passkey: Passkey = { ...made, name, addedAt: now, lastUsedAt: null }
    const change = spend(changed(factors, { passkeys: [...passkeysOf(factors), passkey] }), spent, now)
    return { ...await secondFactors.add(enroller, { method: 'passkey', amr: SECOND_AMR, change: { passkeys: change.passkeys, spent: change.spent }, closesOthers }, device, now), passkey }
  }

  /** Gives a passkey of the caller's another name, one that `normaliseName` made. `now` in milliseconds. Throws `unknown_factor`, and `invalid_token` where the caller's family was closed meanwhile. */
  async rename (caller: Caller, id: string, name: string, now: number): Promise<Passkey> {
    const { user } = await this.#parts.secondFactors.change(caller, factors => {
      return passkeyOf(factors, id) && { passkeys: factors.passkeys.map(passkey => passkey.id === id ? { ...passkey, name } : passkey) }
    }, now)
    return passkeyOf(user.factors, id)!
  }

  /** Removes a passkey of the caller's; with the last factor of all go the recovery codes. `now` in milliseconds. Throws what `SecondFactors.remove` does. */
  async remove (caller: Caller, id: string, proof: CallerProof & { closesOthers?: boolean | undefined }, device: Device, now: number): Promise<void> {
    await this.#parts.secondFactors.remove(caller, proof, 'passkey', factors => passkeyOf(factors, id) && { passkeys: factors.passkeys.filter(passkey => passkey.id !== id) }, device, now)
  }
}

// What one log-in began is for that one to end: whoever has got hold of another's token has not seen it. Nor is it good any more once there is a second factor, which its proof was without.
function ownerOf (enroller: Enroller): string {
  const { user } = enroller
  return [user.id, 'ticket' in enroller ? enroller.ticket.id : enroller.familyId, ...hasFactor(user.factors) ? ['beside'] : []].join(' ')
}

function passkeysOf (factors: Factors | undefined): Passkey[] {
  return factors?.passkeys ?? []
}

function passkeyOf (factors: Factors | undefined, id: string): Passkey | undefined {
  return passkeysOf(factors).find(passkey => passkey.id === id)
}

function assertRoom (factors: Factors | undefined): void {
  if (passkeysOf(factors).length >= MAX_PASSKEYS) throw new AuthError('too_many_passkeys')
}
