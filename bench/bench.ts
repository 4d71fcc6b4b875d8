// `npm run bench`: ratios against bare peers in one run; a measurement, never a test.
import { parseArgs } from 'node:util'
import { benchEmbedded } from './embedded.js'
import { benchEvents } from './events.js'
import { benchMongoDb } from './mongodb.js'
import { benchOAuth } from './oauth.js'
import { benchPeak } from './peak.js'
import { benchStart } from './start.js'
import { benchStatusLists } from './status-lists.js'
import { benchVerifier } from './verifier.js'

const HELP = `Measures ratios against bare peers in one run.
  --store sqlite    on the embedded store (default)
  --store mongodb   on the MongoDB that TEST_MONGODB_URL names, with a thousand and a million users in databases that it drops again
Exit code: 0 measured, 2 wrong use.
`

function readBench (): (() => Promise<void>) | undefined {
  try {
    const { values } = parseArgs({ options: { store: { type: 'string', default: 'sqlite' }, help: { type: 'boolean' } } })
    const url = process.env['TEST_MONGODB_URL']
    if (values.help) return undefined
    if (values.store === 'sqlite') return async () => { await benchStart(); await benchPeak(); await benchEmbedded(); await benchEvents(); await benchVerifier(); await benchStatusLists(); await benchOAuth() }
    return values.store === 'mongodb' && url ? async () => { await benchMongoDb(url) } : undefined
  } catch {
    return undefined
  }
}

const bench = readBench()
if (!bench) process.stderr.write(HELP)
await bench?.()
process.exit(bench || process.argv.includes('--help') ? 0 : 2)
