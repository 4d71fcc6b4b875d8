// A kill -9 before any step of a change of the ring leaves the old ring or the new.
import { killBeforeSteps } from '../keyring/ring-kills.js'

killBeforeSteps(1)
