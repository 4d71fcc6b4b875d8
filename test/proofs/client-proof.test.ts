// The proof of the clients: what it says of a good one and of others; what needs a download or a browser is for `npm run prove:clients`.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { SERVER } from '../server-process.js'
import { proveClients } from './client-proof.js'
import { PROGRAMS, type ClientProgram } from './clients/programs.js'
import { STEPS } from './clients/steps.js'

/** A client whose program is this code. */
function program (language: string, code: string, more: Partial<ClientProgram> = {}): ClientProgram {
  return { language, folder: '.', needs: ['node'], build: [], run: ['node', '--eval', code], ...more }
}

const say = (steps: string[]) => `console.log(${JSON.stringify(steps.map(step => `passed ${step}`).join('\n'))})`

t.test('the clients of Node.js get on with Signet, and what others do wrong is seen', async t => {
  const [first, ...others] = STEPS as [string, ...string[]]
  const verdicts = await proveClients({
    command: SERVER,
    programs: [
      ...PROGRAMS.filter(({ language }) => ['openid-client', 'oauth4webapi'].includes(language)),
      program('idle', say(others)),
      program('poor', say(others), { lacks: [first] }),
      program('failing', `${say(others)}; console.log('failed ${first}: why')`),
      program('broken', `${say(STEPS)}; console.error('oh'); process.exitCode = 3`),
      program('absent', '', { needs: ['no-such-program'] }),
    ],
  })
  t.strictSame(verdicts.map(({ language, missing, passed, lacks, wrong }) => ({ language, missing, passed, lacks, wrong })), [
    { language: 'openid-client', missing: [], passed: STEPS.length, lacks: [], wrong: [] },
    { language: 'oauth4webapi', missing: [], passed: STEPS.length, lacks: [], wrong: [] },
    { language: 'idle', missing: [], passed: others.length, lacks: [], wrong: [`did not take the step ${first}`] },
    { language: 'poor', missing: [], passed: others.length, lacks: [first], wrong: [] },
    { language: 'failing', missing: [], passed: others.length, lacks: [], wrong: [`failed ${first}: why`] },
    { language: 'broken', missing: [], passed: STEPS.length, lacks: [], wrong: ['ended with code 3; it said oh'] },
    { language: 'absent', missing: ['no-such-program'], passed: 0, lacks: [], wrong: [] },
  ])
})

t.test('the page about OAuth names each library', async t => {
  const page = readFileSync('docs/oauth.md', 'utf8')
  for (const { language } of PROGRAMS) t.ok(page.toLowerCase().includes(language), language)
})
