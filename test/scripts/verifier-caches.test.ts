// What verifiers do at a rotation and a revocation: the operators' page says what the commands say.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { formatDuration } from '../../scripts/command.js'
import { refusals, VERIFIER_CACHES } from '../../scripts/verifier-caches.js'

const told = (seconds: number) => seconds === Infinity ? 'for ever' : seconds === 0 ? 'not at all' : formatDuration(seconds * 1000)

t.test('the table of docs/keys.md is the one of the commands', async t => {
  const rows = readFileSync('docs/keys.md', 'utf8').split('\n').filter(line => /^\| .*\((Node\.js|Python|Java|Go|Rust)\) \|/.test(line))
  t.strictSame(rows, VERIFIER_CACHES.map(row => `| ${row.library} | ${told(row.accepts)} | ${told(row.acceptsUnseen)} | ${told(row.refusesUnseen)} |`))
})

t.test('a key that has been published for as long as KEY_PREPUBLISH by default is refused by no verifier that looks again by itself', async t => {
  t.strictSame(refusals(3900).filter(({ seconds }) => seconds > 0), [{ library: 'Authlib, its documented cache (Python)', seconds: Infinity }])
  t.ok(refusals(0).find(({ library }) => library === 'keyfunc (Go)')!.seconds > 3600)
  t.ok(refusals(Infinity).every(({ seconds }) => seconds === 0))
})
