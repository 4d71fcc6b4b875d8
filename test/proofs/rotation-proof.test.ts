// Nobody notices a rotation, and the proof sees one that is noticed; a hundred rotations are `npm run prove:rotation`.
import t from 'tap'
import { proveRotations, PROPORTION, type ProofParts } from './rotation-proof.js'
import { EXAMPLES, type Example } from './verifier-examples.js'
import { plainNode } from '../compiled.js'
import { SERVER } from '../server-process.js'

/** Without its build, jose is the one that Signet itself has. */
const node: Example = { ...EXAMPLES.find(({ language }) => language === 'node')!, build: [] }
const parts = { server: SERVER, script: (name: string) => plainNode(`scripts/${name}.ts`), progress: () => {} }

for (const [name, scenario] of [
  ['one server', { servers: 1, change: 'in_place' }],
  ['four servers on one folder that a symlink swaps', { servers: 4, change: 'by_symlink' }],
] as const) {
  t.test(`no verification and no refresh fails while the keys rotate under ${name}`, async t => {
    const verifiers: ProofParts['verifiers'] = [{ example: node, cache: { cacheMaxAge: 600_000 * PROPORTION, cooldownDuration: 30_000 * PROPORTION } }]
    const { failed, rotations, ...counts } = await proveRotations({ ...scenario, rotations: 2 }, { ...parts, verifiers })
    t.strictSame(failed, [])
    t.equal(rotations, 2)
    t.ok(Object.values(counts).every(count => count > 5), JSON.stringify(counts))
  })
}

t.test('the proof sees a key that signs before verifiers know it', async t => {
  const verifiers: ProofParts['verifiers'] = [{ example: node, cache: { cacheMaxAge: 600_000, cooldownDuration: 60_000 } }]
  const { failed } = await proveRotations({ servers: 1, change: 'in_place', rotations: 2 }, { ...parts, verifiers, rotate: ['keys-rotate', '--force'] })
  t.ok(failed.some(sentence => sentence.startsWith('a verifier refused')), String(failed[0]))
})
