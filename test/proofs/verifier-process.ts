// The verifiers of examples/verify/ as processes: built, asked, ended; holds no token and no verdict on one.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Example } from './verifier-examples.js'

/** `missing` programs for which nothing was built, what went `wrong` in sentences, and how long it took in milliseconds. */
export interface Build { missing: string[], wrong: string[], buildMs: number }

/** Whose tokens a verifier takes, and where the keys are. */
export interface Trust { jwksUrl: string, issuer: string, cache?: object }

/** A command of a build may take so long, in milliseconds. */
const BUILD_LIMIT_MS = 600_000
/** Signet's own default. */
const AUDIENCE = 'signet'
const LONGEST_SAID = 2 ** 16

/** The line that names a language which was not built. */
export function describeSkipped (language: string, missing: string[]): string {
  return `SKIPPED: ${language}, for this machine has no ${missing.join(' and no ')}.\n`
}

const runToEnd = promisify(execFile)

/** Builds an example, unless the machine lacks a program that it needs. */
export async function build ({ folder, needs, build: commands }: Example): Promise<Build> {
  const verdict: Build = { missing: [], wrong: [], buildMs: 0 }
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

/** One verifier as a process: a token a line goes in, a verdict a line comes out. */
export class VerifierProcess {
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string, undefined>
  readonly #ended: Promise<string>
  #said = ''

  /** It is ended after `limitMs` milliseconds. `cache` are options of the library's own, where the example takes them. */
  constructor ({ folder, run: [program, ...args] }: Example, { jwksUrl, issuer, cache = {} }: Trust, limitMs: number) {
    const env = { ...process.env, JWKS_URL: jwksUrl, ISSUER: issuer, AUDIENCE, KEY_CACHE: JSON.stringify(cache) }
    const child = spawn(program, args, { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'], timeout: limitMs, killSignal: 'SIGKILL' })
    // A verifier that has ended is seen by its answers, which end too.
    child.stdin.on('error', () => {})
    child.stderr.on('data', chunk => { this.#said = `${this.#said}${String(chunk)}`.slice(-LONGEST_SAID) })
    this.#child = child
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    this.#ended = new Promise(resolve => {
      child.once('error', ({ message }) => { resolve(`could not be started: ${message}`) })
      child.once('close', (code, signal) => { resolve(signal === 'SIGKILL' ? `was ended after ${limitMs / 1000} s` : `ended with ${signal ?? `code ${code}`}`) })
    })
  }

  /** What it has said on its standard error, of which the end is kept. */
  get said (): string {
    return this.#said
  }

  /** The verdict on a token. Throws if the verifier ended instead. */
  async ask (what: string, token: string): Promise<string> {
    this.#child.stdin!.write(`${token}\n`)
    const { done, value } = await this.#answers.next()
    if (done) throw new Error(`gave no answer to ${what}: ${await this.#ended}${this.#quote()}`)
    return value
  }

  /** Throws unless it ends well once nothing more is asked, and has nothing more to say. */
  async end (): Promise<void> {
    this.#child.stdin!.end()
    const { done, value } = await this.#answers.next()
    const end = done ? await this.#ended : `said ${value}`
    if (end !== 'ended with code 0') throw new Error(`did not end well when its input did: ${end}${this.#quote()}`)
  }

  #quote (): string {
    return this.#said && `; it said ${JSON.stringify(this.#said.trim().split('\n').slice(-20).join('\n'))}`
  }
}
