// `npm run prove:rotation`: rotations under load, and what noticed them; holds no check of its own.
import { built } from './built.js'
import { readCount, readNames, runProof } from './command.js'
import { PROPORTION, proveRotations, type ProofParts, type Scenario } from './rotation-proof.js'
import { EXAMPLES } from './verifier-examples.js'
import { build, describeSkipped } from './verifier-process.js'

const SCENARIOS: Record<string, Omit<Scenario, 'rotations'>> = {
  one: { servers: 1, change: 'in_place' },
  four: { servers: 4, change: 'in_place' },
  symlink: { servers: 4, change: 'by_symlink' },
}

const HELP = `Rotates the keys of living servers by script while clients log in and refresh, and verifiers in Node.js and Python verify every token.
The caches of the verifiers and the wait before a key may sign are shortened in one proportion, ${Math.round(1 / PROPORTION)} to 1.
  --rotations N    how many in each scenario (default 100)
  --only LIST      some of one,four,symlink (default all): one server, four on one folder, four on a folder that is swapped by its symlink
A language whose programs this machine has not is skipped, and named in the last lines.
Exit code: 0 nothing failed, 1 something did or no verifier could be built, 2 wrong use.
`
/** The defaults of jose, milliseconds, and of PyJWT, seconds, in proportion. */
const CACHES: Record<string, object> = {
  node: { cacheMaxAge: 600_000 * PROPORTION, cooldownDuration: 30_000 * PROPORTION },
  python: { lifespan: 300 * PROPORTION, cooldown_duration: 30 * PROPORTION },
}

async function buildVerifiers (): Promise<{ verifiers: ProofParts['verifiers'], skipped: string[] }> {
  const wanted = EXAMPLES.filter(({ language }) => language in CACHES)
  const built = await Promise.all(wanted.map(async example => ({ example, ...await build(example) })))
  const failure = built.flatMap(({ example, wrong }) => wrong.map(sentence => `${example.language} ${sentence}`))[0]
  if (failure) throw new Error(failure)
  return {
    verifiers: built.filter(({ missing }) => missing.length === 0).map(({ example }) => ({ example, cache: CACHES[example.language]! })),
    skipped: built.filter(({ missing }) => missing.length > 0).map(({ example, missing }) => describeSkipped(example.language, missing)),
  }
}

const OPTIONS = { rotations: { type: 'string', default: '100' }, only: { type: 'string', default: Object.keys(SCENARIOS).join() } } as const

await runProof(HELP, OPTIONS, async wish => {
  const [wanted, names] = [readCount('rotations', wish.rotations), readNames('only', wish.only, Object.keys(SCENARIOS))]
  const { verifiers, skipped } = await buildVerifiers()
  const parts = { verifiers, server: built('src/server'), script: (name: string) => built(`scripts/${name}`) }
  let failures = 0
  for (const name of names) {
    const { rotations, logIns, refreshes, verifications, failed } = await proveRotations({ ...SCENARIOS[name]!, rotations: wanted }, { ...parts, progress: done => { process.stderr.write(`\r${name}: ${done} rotations`) } })
    process.stderr.write('\r')
    process.stdout.write(`${name}: ${rotations} rotations, ${logIns} log-ins, ${refreshes} refreshes, ${verifications} verifications; failed: ${failed.length}\n`)
    process.stdout.write([...new Set(failed)].slice(0, 10).map(sentence => `- ${sentence}\n`).join(''))
    failures += failed.length
  }
  process.stdout.write(skipped.join(''))
  return failures === 0 && verifiers.length > 0 ? 0 : 1
})
