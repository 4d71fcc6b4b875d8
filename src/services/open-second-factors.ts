// Wires the services of second factors to each other; holds no rule of one.
import type { RecordEvent } from '../core/events.js'
import type { FamilyLimits } from '../core/families.js'
import type { Meter } from '../core/metrics.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store } from '../store/store.js'
import type { AccountService } from './account-service.js'
import { CodeGuesses } from './code-guesses.js'
import { factorProofs } from './factor-proofs.js'
import { FreshProofs } from './fresh-proofs.js'
import { PasskeyLogIns } from './passkey-log-ins.js'
import { Passkeys } from './passkeys.js'
import { SecondFactors } from './second-factors.js'
import { Seeds } from './seeds.js'
import { StepUps } from './step-ups.js'
import type { TokenService } from './token-service.js'
import { relyingPartyOf } from './webauthn.js'

export interface OpenSecondFactorsParts {
  issuer: string
  /** Those beside the issuer's own whose pages may use passkeys. */
  origins: string[]
  /** Whether who has no second factor must add one to log in. */
  isRequired: boolean
  store: Store
  keyRing: KeyRing
  accounts: AccountService
  tokens: TokenService
  families: FamilyLimits
  /** How long a closing counts, in milliseconds. */
  closingRetention: number
  /** Whether guesses at a code are limited. */
  isLimited: boolean
  record: RecordEvent
  meter?: Meter | undefined
}

export function openSecondFactors (parts: OpenSecondFactorsParts): { stepUps: StepUps, fresh: FreshProofs, secondFactors: SecondFactors, passkeys: Passkeys, passkeyLogIns: PasskeyLogIns } {
  const { keyRing } = parts
  const seeds = new Seeds({ current: () => keyRing.sealingSecret, find: keyRing.findSealingSecret })
  const rp = relyingPartyOf(parts.issuer, parts.origins)
  const passkeyLogIns = new PasskeyLogIns({ ...parts, rp })
  const wired = { ...parts, seeds, proofs: factorProofs({ seeds, passkeyLogIns }), guesses: new CodeGuesses(parts) }
  const [stepUps, fresh] = [new StepUps(wired), new FreshProofs(wired)]
  const secondFactors = new SecondFactors({ ...wired, stepUps, fresh })
  return { stepUps, fresh, secondFactors, passkeys: new Passkeys({ keyRing, secondFactors, rp }), passkeyLogIns }
}
