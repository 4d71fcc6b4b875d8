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
import { SecondFactors } from './second-factors.js'
import { Seeds } from './seeds.js'
import { StepUps } from './step-ups.js'
import type { TokenService } from './token-service.js'

export interface OpenSecondFactorsParts {
  issuer: string
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

export function openSecondFactors (parts: OpenSecondFactorsParts): { stepUps: StepUps, fresh: FreshProofs, secondFactors: SecondFactors } {
  const { keyRing } = parts
  const seeds = new Seeds({ current: () => keyRing.sealingSecret, find: keyRing.findSealingSecret })
  const wired = { ...parts, seeds, proofs: factorProofs({ seeds }), guesses: new CodeGuesses(parts), isRequired: false }
  const [stepUps, fresh] = [new StepUps(wired), new FreshProofs(wired)]
  return { stepUps, fresh, secondFactors: new SecondFactors({ ...wired, stepUps, fresh }) }
}
