// The journey and the cases in which browsers differ, in WebKitGTK.
import { inBrowser } from './journey.js'

inBrowser('webkit')
