// The journey and the cases in which browsers differ, in Firefox.
import { inBrowser } from '../browser/journey.js'

inBrowser('firefox')
