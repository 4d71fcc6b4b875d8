// `npm run prove:verifiers`: which verifiers are right, wrong or were skipped; holds no check of its own.
import { built } from './built.js'
import { readNames, runProof } from './command.js'
import { EXAMPLES } from './verifier-examples.js'
import { describeSkipped } from './verifier-process.js'
import { proveVerifiers, type Verdict } from './verifier-proof.js'

const LANGUAGES = EXAMPLES.map(({ language }) => language)

const HELP = `Builds the verifiers of examples/verify/ and hands each good and bad tokens of a live Signet, and good and bad status lists.
  --only LIST       some of ${LANGUAGES.join(',')} (default all)
A language whose programs this machine has not is skipped, and named in the last lines.
Exit code: 0 every verifier that could be built here is right, 1 something is wrong or nothing could be checked, 2 wrong use.
`

function describe ({ language, wrong, checked, buildMs, checkMs }: Verdict): string {
  const times = `built in ${(buildMs / 1000).toFixed(1)} s, checked in ${(checkMs / 1000).toFixed(1)} s`
  return `${language.padEnd(8)}${checked} tokens, wrong: ${wrong.length}; ${times}\n${wrong.map(sentence => `- ${language} ${sentence}\n`).join('')}`
}

await runProof(HELP, { only: { type: 'string', default: LANGUAGES.join() } }, async ({ only }) => {
  const wanted = readNames('only', only, LANGUAGES)
  const examples = EXAMPLES.filter(({ language }) => wanted.includes(language))
  const verdicts = await proveVerifiers({ examples, command: built('src/server') })
  const proved = verdicts.filter(({ missing }) => missing.length === 0)
  const skipped = verdicts.filter(({ missing }) => missing.length > 0)
  process.stdout.write(proved.map(describe).join(''))
  process.stdout.write(skipped.map(({ language, missing }) => describeSkipped(language, missing)).join(''))
  return proved.length > 0 && proved.every(({ wrong }) => wrong.length === 0) ? 0 : 1
})
