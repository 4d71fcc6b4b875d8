// `npm run keys:generate`: makes the first key ring; holds no rule of its life.
import { parseArgs } from 'node:util'
import { readConfig, readEnvironment } from '../src/config.js'
import { createRing } from '../src/keyring/ring-files.js'

const HELP = `Makes a key ring, a signing key and a refresh secret, in the folder that KEYS_DIR names.
Exit code: 0 made, 1 refused, 2 wrong use.
`

function wantsHelp (): boolean {
  const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } })
  return values.help
}

async function main (): Promise<number> {
  try {
    if (wantsHelp()) {
      process.stdout.write(HELP)
      return 0
    }
  } catch {
    process.stderr.write(HELP)
    return 2
  }
  // This command is how a production gets its first ring, so it must run before the server's own settings are whole.
  const { KEYS_DIR: folder } = readConfig({ KEYS_DIR: readEnvironment()['KEYS_DIR'] })
  if (await createRing(folder, Date.now())) {
    process.stdout.write(`Made a key ring in ${folder}.\n`)
    return 0
  }
  process.stderr.write(`There is a key ring in ${folder} already; it was left as it is.\n`)
  return 1
}

main().then(code => { process.exitCode = code }, (error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
