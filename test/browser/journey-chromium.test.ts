// The journey and the cases in which browsers differ, in Chromium.
import { inBrowser } from './journey.js'

inBrowser('chromium')
