// The journey and the cases in which browsers differ, in WebKitGTK.
import { inBrowser } from '../browser/journey.js'

inBrowser('webkit')
