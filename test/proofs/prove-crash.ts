// `npm run prove:crash`: kills in a storm, and what was lost; holds no check of its own.
import { built } from './built.js'
import { readCount, runProof, WrongUse } from './command.js'
import { proveCrashes } from './crash-rounds.js'
import { PrivateMongoDb } from './private-mongodb.js'

const HELP = `Kills in a storm of requests, again and again, and looks for answers that were lost.
  --rounds N        how often (default 100)
  --store sqlite    SIGKILL to Signet on its embedded store, which is started again on the same files (default)
  --store mongodb   a crash of the database under a Signet that goes on; TEST_MONGODB_CONTROL names a folder with two programs,
                    \`start PORT\` and \`stop PORT --crash\`, that control a MongoDB on that port
Exit code: 0 nothing lost, 1 something lost, 2 wrong use.
`
/** The port of the database that is crashed; the suite's own are 17218 and 17219. */
const PORT = 17220

function databaseOf (store: string): PrivateMongoDb | undefined {
  if (store === 'sqlite') return undefined
  if (store !== 'mongodb') throw new WrongUse('--store is sqlite or mongodb.')
  const control = process.env['TEST_MONGODB_CONTROL']
  if (!control) throw new WrongUse('TEST_MONGODB_CONTROL is not set.')
  return new PrivateMongoDb(control, PORT)
}

await runProof(HELP, { rounds: { type: 'string', default: '100' }, store: { type: 'string', default: 'sqlite' } }, async ({ rounds, store }) => {
  const database = databaseOf(store)
  const wish = { rounds: readCount('rounds', rounds), command: built('src/server'), ...(database && { database }) }
  const { answered, lost } = await proveCrashes(wish).finally(async () => { await database?.stop() })
  process.stdout.write(`${wish.rounds} crashes; answered: ${JSON.stringify(answered)}; lost: ${lost.length}\n${lost.map(sentence => `- ${sentence}\n`).join('')}`)
  return lost.length === 0 ? 0 : 1
})
