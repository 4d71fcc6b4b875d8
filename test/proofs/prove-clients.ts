// `npm run prove:clients`: which clients that were written elsewhere get on with Signet, which do not, and which were skipped; holds no check of its own.
import { built } from './built.js'
import { proveClients, type Verdict } from './client-proof.js'
import { PROGRAMS } from './clients/programs.js'
import { readNames, runProof } from './command.js'
import { describeSkipped } from './verifier-process.js'

const LIBRARIES = PROGRAMS.map(({ language }) => language)

const HELP = `Has the client libraries of other people go through all that OAuth and OpenID Connect offer of a live Signet, and through each refusal.
  --only LIST       some of ${LIBRARIES.join(',')} (default all)
A library whose programs this machine has not is skipped, and named in the last lines.
Exit code: 0 all is well with each client that could be built here, 1 something is wrong or nothing could be checked, 2 wrong use.
`

function describe ({ language, wrong, passed, lacks, buildMs, walkMs }: Verdict): string {
  const times = `built in ${(buildMs / 1000).toFixed(1)} s, done in ${(walkMs / 1000).toFixed(1)} s`
  const without = lacks.length > 0 ? `, has nothing for ${lacks.join(', ')}` : ''
  return `${language.padEnd(16)}${passed} steps, wrong: ${wrong.length}${without}; ${times}\n${wrong.map(sentence => `- ${language} ${sentence}\n`).join('')}`
}

await runProof(HELP, { only: { type: 'string', default: LIBRARIES.join() } }, async ({ only }) => {
  const wanted = readNames('only', only, LIBRARIES)
  const verdicts = await proveClients({ programs: PROGRAMS.filter(({ language }) => wanted.includes(language)), command: built('src/server') })
  const proved = verdicts.filter(({ missing }) => missing.length === 0)
  const skipped = verdicts.filter(({ missing }) => missing.length > 0)
  process.stdout.write(proved.map(describe).join(''))
  process.stdout.write(skipped.map(({ language, missing }) => describeSkipped(language, missing)).join(''))
  return proved.length > 0 && proved.every(({ wrong }) => wrong.length === 0) ? 0 : 1
})
