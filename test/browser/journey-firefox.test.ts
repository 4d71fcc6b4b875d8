// The journey and the cases in which browsers differ, in Firefox.
import { inBrowser } from './journey.js'

inBrowser('firefox')
