// `npm test`: runs the suite, or the files that are named, and, whether it passed or not, says last what of it did not run here; holds no test.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { sentencesOfWhatDidNotRun } from './not-run.js'

/** Runs tap and returns its exit code. @param {string[]} args @returns {number} */
function tap (...args) {
  const program = fileURLToPath(new URL('../node_modules/.bin/tap', import.meta.url))
  return spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' }).status ?? 1
}

// Freshly installed, tap loads its own TypeScript beside ours into every process, until it is built without.
if (t.pluginSignature.includes('@tapjs/typescript')) tap('build')
const args = process.argv.slice(2)
process.exitCode = tap(...args)
process.stdout.write(sentencesOfWhatDidNotRun(args.filter(arg => arg.endsWith('.test.ts'))).join(''))
