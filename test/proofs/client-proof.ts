// Has clients that were written elsewhere go through all steps with a live Signet; holds no client and no step.
import { randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { openStore } from '../../src/store/open-store.js'
import { freePort } from '../free-port.js'
import type { Command } from '../program.js'
import { LiveSignet, PASSWORD } from './live-signet.js'
import { build, type Build } from './verifier-process.js'
import { openPerson, Person } from './clients/person.js'
import type { ClientProgram } from './clients/programs.js'
import { afterLogOutAt, callbackAt, makeClients, OTHER_RESOURCE, RESOURCE } from './clients/records.js'
import { STEPS } from './clients/steps.js'

/** What a client did: how many steps it `passed`, and which its library `lacks`. Milliseconds. */
export interface Verdict extends Build { language: string, passed: number, lacks: string[], walkMs: number }

interface Settings { programs: ClientProgram[], command: Command, limitMs?: number }

const LIMIT_MS = 120_000

/** Builds the programs side by side, then lets one after the other walk through the Signet that `command` starts. */
export async function proveClients ({ programs, command, limitMs = LIMIT_MS }: Settings): Promise<Verdict[]> {
  const attempts = await Promise.all(programs.map(async program => ({ program, verdict: { language: program.language, passed: 0, lacks: [], walkMs: 0, ...await build(program) } as Verdict })))
  const built = attempts.filter(({ verdict }) => verdict.missing.length === 0 && verdict.wrong.length === 0)
  const issuer = `http://127.0.0.1:${await freePort()}`
  const signet = await LiveSignet.open(command, { PORT: new URL(issuer).port, ISSUER: issuer })
  try {
    for (const { program, verdict } of built) await walk(program, verdict, signet, limitMs)
  } finally {
    await signet.close()
  }
  return attempts.map(({ verdict }) => verdict)
}

async function walk (program: ClientProgram, verdict: Verdict, signet: LiveSignet, limitMs: number): Promise<void> {
  const account = { email: `${randomUUID()}@example.com`, password: PASSWORD }
  await signet.succeed('/register', { ...account, name: 'Ada' })
  // Where nothing listens, unless the program does: a person without a browser reads off where it would go.
  const home = `http://127.0.0.1:${await freePort()}`
  const person = await openPerson(new Person(signet.url, account))
  const start = performance.now()
  try {
    judge(await run(program, { ...await addClients(signet, home), ISSUER: signet.issuer, PERSON: person.url, CALLBACK: callbackAt(home), AFTER_LOG_OUT: afterLogOutAt(home), RESOURCE, OTHER_RESOURCE, EMAIL: account.email, PASSWORD: account.password }, limitMs), program, verdict)
  } finally {
    person.close()
  }
  verdict.walkMs = performance.now() - start
}

async function addClients ({ databaseUrl }: LiveSignet, home: string): Promise<{ CLIENTS: string }> {
  const store = await openStore(databaseUrl)
  const { records, told } = makeClients(home, Date.now())
  for (const record of records) await store.insertClient(record)
  await store.close()
  return { CLIENTS: JSON.stringify(told) }
}

/** What a program says, a line a step, and how it ended. */
interface Walk { lines: string[], end: string }

async function run ({ folder, run: [program, ...args] }: ClientProgram, env: Record<string, string>, limitMs: number): Promise<Walk> {
  const child = spawn(program, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs, killSignal: 'SIGKILL' })
  let said = ''
  child.stderr.on('data', chunk => { said = `${said}${String(chunk)}`.slice(-2_000) })
  const ended = once(child, 'close').then(([code, signal]) => code === 0 ? '' : `ended with ${signal ?? `code ${code}`}; it said ${said.trim()}`, (error: Error) => `could not be started: ${error.message}`)
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  return { lines, end: await ended }
}

function judge ({ lines, end }: Walk, { lacks = [] }: ClientProgram, verdict: Verdict): void {
  const passed = lines.filter(line => line.startsWith('passed ')).map(line => line.slice('passed '.length))
  verdict.passed = passed.length
  verdict.lacks = lacks
  verdict.wrong.push(...lines.filter(line => !line.startsWith('passed ')))
  if (end) verdict.wrong.push(end)
  const told = [...passed, ...lines.map(line => /^failed ([\w-]+)/.exec(line)?.[1])]
  verdict.wrong.push(...STEPS.filter(step => !told.includes(step) && !lacks.includes(step)).map(step => `did not take the step ${step}`))
}
