// `npm run prove:recovery`: whether links and codes let in who they are for, once, and nobody else; holds no check of its own.
import { throwawayDatabase } from '../throwaway-database.js'
import { built } from './built.js'
import { readCount, readNames, runProof } from './command.js'
import { proveRecovery } from './recovery-proof.js'

const STORES = ['sqlite', 'mongodb']

const HELP = `Sets passwords by links of mails: 64 at once by one link, in a storm of log-ins and refreshes, and in a server that is killed meanwhile. Then guesses
codes of an authenticator app, by somebody who has the password, from an address each.
  --rounds N      of each race, storm and kill (default 20)
  --guesses N     (default 100000)
  --store LIST    sqlite, one server on a file, or mongodb, two servers on the MongoDB that TEST_MONGODB_URL names, or both (default: both where it names one)
To hold: one of those at once wins; nothing that was got before a reset is good after it; no reset that was answered is lost, and no link works twice; no guess passes,
and no more than ten are tried.
Exit code: 0 all of that holds, 1 something does not, 2 wrong use.
`
const url = process.env['TEST_MONGODB_URL']

await runProof(HELP, { rounds: { type: 'string', default: '20' }, guesses: { type: 'string', default: '100000' }, store: { type: 'string', default: url ? STORES.join() : 'sqlite' } }, async wish => {
  const [rounds, guesses] = [readCount('rounds', wish.rounds), readCount('guesses', wish.guesses)]
  let faults = 0
  for (const store of readNames('store', wish.store, STORES)) {
    if (store === 'mongodb' && !url) throw new Error('TEST_MONGODB_URL is not set.')
    const database = store === 'mongodb' ? throwawayDatabase(url!) : undefined
    const report = await proveRecovery({ command: built('signet/server'), servers: database ? 2 : 1, rounds, guesses, ...(database && { databaseUrl: database.url }) }).finally(async () => { await database?.drop() })
    process.stdout.write(`${store}: ${report.races} races, ${report.storms} storms, ${report.kills} kills, ${report.setByThen} of which found the password set; guesses: ${JSON.stringify(report.guesses)}\n`)
    process.stdout.write([...new Set(report.faults)].slice(0, 10).map(sentence => `- ${sentence}\n`).join(''))
    faults += report.faults.length
  }
  return faults === 0 ? 0 : 1
})
