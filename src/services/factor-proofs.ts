// How each kind of second factor is proved, in one table; holds no HTTP, no limit of guesses and no write.
import { changed, type Factors, type Method } from '../core/factors.js'
import { digestOfRecoveryCode } from '../core/recovery-codes.js'
import { stepOf } from '../core/totp.js'
import type { User } from '../store/store.js'
import { SECOND_AMR, type PasskeyLogIns } from './passkey-log-ins.js'
import type { Seeds } from './seeds.js'
import type { AuthenticationResponse } from './webauthn.js'

/** What somebody brings beside the password: one of them. */
export interface Brought { code?: string | undefined, recovery_code?: string | undefined, passkey?: AuthenticationResponse | undefined }

/** One kind of factor. */
export interface FactorProof<What> {
  method: Method
  /** How a user has proved who it is that proved a password and this (RFC 8176, section 2). */
  amr: string[]
  /** Whether it can be found by trying, so that wrong ones are counted. */
  isGuessable: boolean
  /** What the user's factors are when this was used, in their next version; undefined where it is not good. `now` in milliseconds. */
  prove: (user: User, what: What, now: number) => Promise<Factors | undefined>
}

/** By the member of a request that brings it. */
export type FactorProofs = { [Name in keyof Brought]-?: FactorProof<NonNullable<Brought[Name]>> }

/** What was proved: by which kind, and what it leaves. */
export interface Proved { method: Method, amr: string[], factors: Factors }

export interface FactorProofParts { seeds: Seeds, passkeyLogIns: Pick<PasskeyLogIns, 'prove'> }

/** How a user has proved who it is by a password and a code of an app (RFC 8176, section 2). */
export const TOTP_AMR = ['pwd', 'otp', 'mfa']

/** Every kind that there is. */
export function factorProofs ({ seeds, passkeyLogIns }: FactorProofParts): FactorProofs {
  return {
    code: {
      method: 'totp', amr: TOTP_AMR, isGuessable: true,
      prove: async ({ id, factors }, code, now) => {
        const seed = factors?.totp && await seeds.open(id, factors.totp.seed)
        const lastStep = seed && stepOf(code, seed, factors.totp!.lastStep, now)
        // Sealed anew, so that no seed that is in use stays under a secret that was replaced.
        return lastStep === undefined ? undefined : changed(factors, { totp: { ...factors!.totp!, seed: await seeds.seal(id, seed!) ?? factors!.totp!.seed, lastStep } })
      },
    },
    recovery_code: {
      method: 'recovery_code', amr: ['pwd', 'mfa'], isGuessable: false,
      prove: async ({ factors }, code) => {
        const digest = digestOfRecoveryCode(code)
        return factors?.recoveryCodes.includes(digest) ? changed(factors, { recoveryCodes: factors.recoveryCodes.filter(one => one !== digest) }) : undefined
      },
    },
    passkey: { method: 'passkey', amr: SECOND_AMR, isGuessable: false, prove: async (user, answer, now) => await passkeyLogIns.prove(user, answer, now) },
  }
}

/** The kind that somebody brings, and what of it; of more than one the first. */
export function broughtOf (proofs: FactorProofs, brought: Brought): { proof: FactorProof<never>, what: never } {
  const name = (Object.keys(proofs) as Array<keyof Brought>).find(name => brought[name] !== undefined)!
  return { proof: proofs[name] as FactorProof<never>, what: brought[name] as never }
}
