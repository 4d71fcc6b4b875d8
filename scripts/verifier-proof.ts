// Builds verifiers and hands them good and bad tokens of a live Signet; holds no verifier and none of its rules.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { access, constants } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { readKeyFile, readManifest } from '../src/keyring/ring-files.js'
import { ATTACKER_KEY_ID, attackerJwk, badTokens, goodToken, type Ingredients } from './bad-tokens.js'
import { startSignet, type LiveSignet } from './live-signet.js'
import type { Command, Example } from './verifier-examples.js'

/** What a verifier did: `missing` programs for which it was skipped, what it did `wrong` in sentences, durations in milliseconds. */
export interface Verdict { language: string, missing: string[], wrong: string[], checked: number, buildMs: number, checkMs: number }

interface Settings { examples: Example[], command: Command, checkLimitMs?: number }
interface Stage { signet: LiveSignet, signingKey: SigningKey, attacker: Attacker }
interface SigningKey { id: string, privateKey: KeyObject }
interface Attacker { url: string, requests: () => number, close: () => void }

/** A command of a build may take so long, and a verifier for all its tokens, in milliseconds. */
const BUILD_LIMIT_MS = 600_000
const CHECK_LIMIT_MS = 60_000
/** Signet's own default. */
const AUDIENCE = 'signet'

const runToEnd = promisify(execFile)

/** Builds the examples side by side, then checks one after the other against the Signet that `command` starts. */
export async function proveVerifiers ({ examples, command, checkLimitMs = CHECK_LIMIT_MS }: Settings): Promise<Verdict[]> {
  const attempts = await Promise.all(examples.map(async example => ({ example, verdict: await build(example) })))
  const built = attempts.filter(({ verdict }) => verdict.missing.length === 0 && verdict.wrong.length === 0)
  if (built.length > 0) await onStage(command, async stage => { for (const { example, verdict } of built) await check(example, verdict, stage, checkLimitMs) })
  return attempts.map(({ verdict }) => verdict)
}

async function onStage (command: Command, play: (stage: Stage) => Promise<void>): Promise<void> {
  const signet = await startSignet(command)
  try {
    const signingKey = await readSigningKey(signet)
    const attacker = await openAttacker([signingKey.id, ATTACKER_KEY_ID])
    await play({ signet, signingKey, attacker }).finally(attacker.close)
  } finally {
    await signet.stop()
  }
}

async function build ({ language, folder, needs, build: commands }: Example): Promise<Verdict> {
  const verdict: Verdict = { language, missing: [], wrong: [], checked: 0, buildMs: 0, checkMs: 0 }
  for (const program of needs) if (!await isOnPath(program)) verdict.missing.push(program)
  if (verdict.missing.length > 0) return verdict
  const start = performance.now()
  try {
    for (const [program, ...args] of commands) await runToEnd(program, args, { cwd: folder, timeout: BUILD_LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 })
  } catch (error) {
    verdict.wrong.push(`could not be built: ${buildFailure(error as Error & { killed?: boolean, stdout?: string, stderr?: string })}`)
  }
  verdict.buildMs = performance.now() - start
  return verdict
}

/** Compilers say what is wrong on either stream, and first. */
function buildFailure ({ message, killed, stdout = '', stderr = '' }: Error & { killed?: boolean, stdout?: string, stderr?: string }): string {
  if (killed) return `it took longer than ${BUILD_LIMIT_MS / 1000} s`
  return `${stdout}${stderr}`.trim().split('\n').slice(0, 20).join('\n') || message
}

async function isOnPath (program: string): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const found = await Promise.all(folders.map(async folder => await access(join(folder, program), constants.X_OK).then(() => true, () => false)))
  return found.includes(true)
}

async function check (example: Example, verdict: Verdict, { signet, signingKey: { privateKey }, attacker }: Stage, limitMs: number): Promise<void> {
  const { access_token: access, refresh_token: refresh } = await signet.logIn()
  const ingredients = { access, refresh, privateKey, attackerUrl: attacker.url, now: Date.now() }
  const requests = attacker.requests()
  const start = performance.now()
  const verifier = new Verifier(example, signet, limitMs)
  try {
    await present(verifier, ingredients, verdict)
    await verifier.end()
  } catch (error) {
    verdict.wrong.push((error as Error).message)
  }
  if (attacker.requests() > requests) verdict.wrong.push('fetched keys from where a token pointed')
  verdict.checkMs = performance.now() - start
}

async function present (verifier: Verifier, ingredients: Ingredients, verdict: Verdict): Promise<void> {
  const { sub } = JSON.parse(Buffer.from(ingredients.access.split('.')[1]!, 'base64url').toString()) as { sub: string }
  const accept = async (what: string, token: string) => {
    const answer = await verifier.ask(what, token)
    if (answer !== `accepted ${sub}`) verdict.wrong.push(`did not accept ${what}: ${answer}`)
    verdict.checked++
  }
  await accept('a good token', ingredients.access)
  await accept('a good token that was signed here', goodToken(ingredients))
  for (const [what, token] of Object.entries(badTokens(ingredients))) {
    const answer = await verifier.ask(`a token that ${what}`, token)
    if (!answer.startsWith('refused')) verdict.wrong.push(`did not refuse a token that ${what}: ${answer}`)
    verdict.checked++
  }
  await accept('a good token after the bad ones', ingredients.access)
}

async function readSigningKey ({ keysFolder }: LiveSignet): Promise<SigningKey> {
  const active = (await readManifest(keysFolder))!.signing.find(key => key.state === 'active')!
  return { id: active.id, privateKey: createPrivateKey(await readKeyFile(keysFolder, active)) }
}

/** Publishes the attacker's key under each of the ids, for verifiers that believe a token where its key is, and counts who asks. */
async function openAttacker (ids: string[]): Promise<Attacker> {
  let requests = 0
  const server = createServer((_request, response) => {
    requests++
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: ids.map(attackerJwk) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/jwks.json`, requests: () => requests, close: () => { server.close() } }
}

/** One verifier as a process: a token a line goes in, a verdict a line comes out. */
class Verifier {
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string, undefined>
  readonly #ended: Promise<string>

  constructor ({ folder, run: [program, ...args] }: Example, { url, issuer }: LiveSignet, limitMs: number) {
    const env = { ...process.env, JWKS_URL: `${url}/.well-known/jwks.json`, ISSUER: issuer, AUDIENCE }
    const child = spawn(program, args, { cwd: folder, env, stdio: ['pipe', 'pipe', 'inherit'], timeout: limitMs, killSignal: 'SIGKILL' })
    // A verifier that has ended is seen by its answers, which end too.
    child.stdin.on('error', () => {})
    this.#child = child
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    this.#ended = new Promise(resolve => {
      child.once('error', ({ message }) => { resolve(`could not be started: ${message}`) })
      child.once('close', (code, signal) => { resolve(signal === 'SIGKILL' ? `was ended after ${limitMs / 1000} s` : `ended with ${signal ?? `code ${code}`}`) })
    })
  }

  /** The verdict on a token. Throws if the verifier ended instead. */
  async ask (what: string, token: string): Promise<string> {
    this.#child.stdin!.write(`${token}\n`)
    const { done, value } = await this.#answers.next()
    if (done) throw new Error(`gave no answer to ${what}: ${await this.#ended}`)
    return value
  }

  /** Throws unless it ends well once nothing more is asked, and has nothing more to say. */
  async end (): Promise<void> {
    this.#child.stdin!.end()
    const { done, value } = await this.#answers.next()
    const end = done ? await this.#ended : `said ${value}`
    if (end !== 'ended with code 0') throw new Error(`did not end well when its input did: ${end}`)
  }
}
