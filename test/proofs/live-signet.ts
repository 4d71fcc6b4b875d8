// A Signet of one's own for a proof: its process, which can be struck down and started again on the same files, and its users; holds no check.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../free-port.js'
import { startProgram, type Command, type Program } from '../program.js'

export interface Pair { access_token: string, refresh_token: string }
export interface Account { email: string, password: string }
export interface Answer { status: number, body: unknown }

export const PASSWORD = 'correct horse battery'
/** Not its address: verifiers are told both. */
const ISSUER = 'https://signet.example'

export class LiveSignet {
  readonly url: string
  readonly issuer: string
  readonly keysFolder: string
  readonly databaseUrl: string
  readonly #command: Command
  readonly #folder: string
  readonly #env: Record<string, string>
  #program: Program | undefined

  private constructor (command: Command, folder: string, env: Record<string, string> & Record<'PORT' | 'ISSUER' | 'KEYS_DIR' | 'DATABASE_URL', string>) {
    this.url = `http://127.0.0.1:${env.PORT}`
    this.issuer = env.ISSUER
    this.keysFolder = env.KEYS_DIR
    this.databaseUrl = env.DATABASE_URL
    this.#command = command
    this.#folder = folder
    this.#env = env
  }

  /** Starts the server that `command` names, over files of its own where `settings` do not say otherwise. Throws what it says if it ends before it listens. */
  static async open (command: Command, settings: Record<string, string> = {}): Promise<LiveSignet> {
    const folder = await mkdtemp(join(tmpdir(), 'signet-live-'))
    const signet = new LiveSignet(command, folder, {
      PORT: String(await freePort()), DATABASE_URL: `file:${join(folder, 'signet.db')}`, KEYS_DIR: join(folder, 'keys'), ISSUER,
      BCRYPT_COST: '4', RATE_LIMIT: 'off', HASH_QUEUE: '1000', LOG_LEVEL: 'info', ...settings,
    })
    try {
      await signet.start()
    } catch (error) {
      await signet.close()
      throw error
    }
    return signet
  }

  /** Starts it again, once it was struck down. */
  async start (): Promise<void> {
    this.#program = startProgram(this.#command, { cwd: this.#folder, env: this.#env })
    await this.#program.ready()
  }

  /** Waits until it can do its work, for which its database must be there. */
  async untilReady (): Promise<void> {
    for (let tries = 0; tries < 1_200; tries++) {
      if (await fetch(`${this.url}/health/ready`).then(({ ok }) => ok, () => false)) return
      await pause(50)
    }
    throw new Error('the server was not ready within a minute')
  }

  hasEnded (): boolean {
    return this.#program!.hasEnded()
  }

  async crash (): Promise<void> {
    await this.#program!.end('SIGKILL')
  }

  /** Ends the process and removes its files. */
  async close (): Promise<void> {
    await this.#program?.end('SIGTERM')
    await rm(this.#folder, { recursive: true })
  }

  async post (path: string, body: object | undefined, token = '', more: Record<string, string> = {}): Promise<Answer> {
    return await this.ask('POST', path, body, token, more)
  }

  /** `more` are other headers. Rejects where nothing was answered: the connection was cut, or the database did not answer Signet. */
  async ask (method: string, path: string, body: object | undefined, token = '', more: Record<string, string> = {}): Promise<Answer> {
    const headers = { ...more, ...(body && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) }
    const response = await fetch(`${this.url}${path}`, { method, headers, body: body ? JSON.stringify(body) : null })
    const text = await response.text()
    if (response.status === 503) throw new Error(text)
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }

  /** Asks again while nothing is answered, as an honest client does. */
  async insist (path: string, body: object | undefined, token = '', tries = 20): Promise<Answer> {
    return await this.post(path, body, token).catch(async error => {
      if (tries === 0) throw error
      await pause(250)
      return await this.insist(path, body, token, tries - 1)
    })
  }

  /** The body of a success. Throws what else is answered. */
  async succeed (path: string, body: object): Promise<unknown> {
    const answer = await this.post(path, body)
    if (answer.status >= 300) throw new Error(`Signet answered ${answer.status}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Registers somebody new and logs them in. */
  async newUser (): Promise<Account & { pair: Pair }> {
    const account = { email: `${randomUUID()}@example.com`, password: PASSWORD }
    await this.succeed('/register', account)
    return { ...account, pair: await this.succeed('/login', account) as Pair }
  }
}
