// Signets behind a real nginx are restarted in turn for longer than test/nginx.test.ts does.
import { withNginx } from '../nginx.js'
import { proveRestarts } from '../restarts.js'

withNginx(() => { proveRestarts(10) })
