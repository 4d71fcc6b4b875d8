// A kill -9 before a step of a change of the ring leaves the old ring or the new; test/proofs/ring-kill.test.ts tries every step.
import { killBeforeSteps } from './ring-kills.js'

killBeforeSteps(3)
