// `npm run prove:crash`: kills in a storm, and what was lost; holds no check of its own.
import { parseArgs } from 'node:util'
import { built } from './built.js'
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

interface Wish { rounds: number, database?: PrivateMongoDb }

function readWish (): Wish | undefined {
  try {
    const { values } = parseArgs({ options: { rounds: { type: 'string', default: '100' }, store: { type: 'string', default: 'sqlite' }, help: { type: 'boolean' } } })
    const rounds = Number(values.rounds)
    if (values.help || !Number.isInteger(rounds) || rounds < 1) return undefined
    if (values.store === 'sqlite') return { rounds }
    const control = process.env['TEST_MONGODB_CONTROL']
    return values.store === 'mongodb' && control ? { rounds, database: new PrivateMongoDb(control, PORT) } : undefined
  } catch {
    return undefined
  }
}

async function main (): Promise<number> {
  const wish = readWish()
  if (!wish) {
    process.stderr.write(HELP)
    return process.argv.includes('--help') ? 0 : 2
  }
  const { rounds, answered, lost } = await proveCrashes({ ...wish, command: built('src/server') }).finally(async () => { await wish.database?.stop() })
  process.stdout.write(`${rounds} crashes; answered: ${JSON.stringify(answered)}; lost: ${lost.length}\n${lost.map(sentence => `- ${sentence}\n`).join('')}`)
  return lost.length === 0 ? 0 : 1
}

process.exitCode = await main()
