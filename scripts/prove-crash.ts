// `npm run prove:crash`: a hundred kills in a storm, and what was lost; holds no check of its own.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { proveCrashes } from './crash-rounds.js'

const HELP = `Kills a server with SIGKILL in a storm of requests, restarts it on the same files, and looks for answers that were lost.
  --rounds N   how often (default 100)
Exit code: 0 nothing lost, 1 something lost, 2 wrong use.
`

function readRounds (): number | undefined {
  try {
    const { values } = parseArgs({ options: { rounds: { type: 'string', default: '100' }, help: { type: 'boolean' } } })
    const rounds = Number(values.rounds)
    return !values.help && Number.isInteger(rounds) && rounds > 0 ? rounds : undefined
  } catch {
    return undefined
  }
}

async function main (): Promise<number> {
  const rounds = readRounds()
  if (rounds === undefined) {
    process.stderr.write(HELP)
    return process.argv.includes('--help') ? 0 : 2
  }
  const server = fileURLToPath(new URL('../src/server.js', import.meta.url))
  const { answered, lost } = await proveCrashes({ rounds, command: [process.execPath, server] })
  process.stdout.write(`${rounds} kills; answered: ${JSON.stringify(answered)}; lost: ${lost.length}\n${lost.map(sentence => `- ${sentence}\n`).join('')}`)
  return lost.length === 0 ? 0 : 1
}

process.exitCode = await main()
