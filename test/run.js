// `npm test`: runs the suite, or the files that are named, and, whether it passed or not, says last what of it did not run here; holds no test.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { sentencesOfWhatDidNotRun } from './not-run.js'

const TAP = fileURLToPath(new URL('../node_modules/.bin/tap', import.meta.url))
const SIGNATURE = "import('tap').then(({ default: t }) => { console.log(t.pluginSignature); process.exit() })"

/** Runs tap and returns its exit code. @param {string[]} args @returns {number} */
function tap (...args) {
  return spawnSync(process.execPath, [TAP, ...args], { stdio: 'inherit' }).status ?? 1
}

/** Whether tap would load its own TypeScript beside ours into every process, as it does when it was just installed, until it is built without. */
function isFreshlyInstalled () {
  return spawnSync(process.execPath, ['--eval', SIGNATURE], { encoding: 'utf8' }).stdout.includes('@tapjs/typescript')
}

const args = process.argv.slice(2)
if (isFreshlyInstalled()) tap('build')
process.exitCode = tap(...args)
process.stdout.write(sentencesOfWhatDidNotRun(args.filter(arg => arg.endsWith('.test.ts'))).join(''))
