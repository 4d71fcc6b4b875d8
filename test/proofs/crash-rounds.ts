// Kills a real server, or its database, in a storm, again and again, and looks for what was answered and lost; holds no rule of the server's.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface CrashReport { rounds: number, answered: Record<'registrations' | 'logIns' | 'passwordChanges' | 'revocations' | 'refreshes', number>, lost: string[] }

/** A database that is struck in the place of the server. */
export interface Database { url: string, crash: () => Promise<void>, start: () => Promise<void> }

interface Storm { command: [string, ...string[]], rounds: number, database?: Database }

interface Pair { access_token: string, refresh_token: string }
interface Account { email: string, password: string, attempted: string, pair: Pair, closed: boolean }
interface Newcomers { emails: string[], pairs: Pair[] }

const CLIENTS = 8
const PASSWORD = 'correct horse battery'

/**
 * Runs `rounds` storms against the server that `command` starts, and checks every answer afterwards. Each storm ends with a SIGKILL to
 * the server, on its embedded store, or with a crash of the database where there is one, which the server must outlive.
 */
export async function proveCrashes ({ rounds, command, database }: Storm): Promise<CrashReport> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-crash-'))
  const authority = new Authority(command, folder, await freePort(), database?.url)
  const report: CrashReport = { rounds, answered: { registrations: 0, logIns: 0, passwordChanges: 0, revocations: 0, refreshes: 0 }, lost: [] }
  const strike = async () => { await (database ?? authority).crash() }
  const recover = async () => {
    await (database ?? authority).start()
    await authority.untilReady()
  }
  try {
    await database?.start()
    await authority.start()
    await authority.untilReady()
    const honest = await Promise.all(Array.from({ length: CLIENTS }, async () => await authority.newAccount()))
    for (let round = 0; round < rounds; round++) await runRound(authority, { strike, recover }, honest, report)
    if (authority.hasEnded()) report.lost.push('the server ended by itself')
  } finally {
    await authority.crash()
    await rm(folder, { recursive: true })
  }
  return report
}

async function runRound (authority: Authority, { strike, recover }: { strike: () => Promise<void>, recover: () => Promise<void> }, honest: Account[], report: CrashReport): Promise<void> {
  const leaving = await Promise.all(Array.from({ length: CLIENTS }, async () => await authority.newAccount()))
  const changing = await Promise.all(Array.from({ length: CLIENTS }, async () => await authority.newAccount()))
  const newcomers: Newcomers = { emails: [], pairs: [] }
  // Each ends with the connection that is cut, or with a 503, after which nobody knows what was done.
  const storm = Promise.allSettled([
    ...honest.map(async account => { await keepRefreshing(authority, account, report) }),
    ...leaving.map(async (account, index) => { await leave(authority, account, index, report) }),
    ...changing.map(async account => { await keepChanging(authority, account, report) }),
    ...Array.from({ length: CLIENTS / 2 }, async () => { await keepRegistering(authority, newcomers, report) }),
  ])
  await pause(100 + Math.random() * 600)
  if (authority.hasEnded()) report.lost.push('the server ended by itself in a storm')
  await strike()
  await storm
  await recover()
  await check(authority, { honest, leaving, changing, newcomers }, report)
}

async function keepRefreshing (authority: Authority, account: Account, report: CrashReport): Promise<void> {
  for (;;) {
    const { status, body } = await authority.post('/refresh', { refresh_token: account.pair.refresh_token })
    if (status !== 200) {
      report.lost.push(`an honest client was answered ${status} in a storm`)
      return
    }
    account.pair = body as Pair
    report.answered.refreshes++
  }
}

async function leave (authority: Authority, account: Account, index: number, report: CrashReport): Promise<void> {
  await pause(Math.random() * 200)
  const { status } = await authority.post(index % 2 === 0 ? '/logout' : '/revoke-all-tokens', undefined, account.pair.access_token)
  account.closed = status < 300
  report.answered.revocations++
}

async function keepChanging (authority: Authority, account: Account, report: CrashReport): Promise<void> {
  for (;;) {
    account.attempted = `password ${randomUUID()}`
    const { status, body } = await authority.post('/change-password', { current_password: account.password, new_password: account.attempted }, account.pair.access_token)
    if (status !== 200) {
      report.lost.push(`a password change was answered ${status}`)
      return
    }
    account.password = account.attempted
    account.pair = body as Pair
    report.answered.passwordChanges++
  }
}

async function keepRegistering (authority: Authority, { emails, pairs }: Newcomers, report: CrashReport): Promise<void> {
  for (;;) {
    const account = { email: `${randomUUID()}@example.com`, password: PASSWORD }
    const { status } = await authority.post('/register', account)
    if (status !== 201) {
      report.lost.push(`a registration was answered ${status}`)
      return
    }
    emails.push(account.email)
    report.answered.registrations++
    const login = await authority.post('/login', account)
    if (login.status !== 200) {
      report.lost.push(`a log-in was answered ${login.status}`)
      return
    }
    pairs.push(login.body as Pair)
    report.answered.logIns++
  }
}

async function check (authority: Authority, { honest, leaving, changing, newcomers }: { honest: Account[], leaving: Account[], changing: Account[], newcomers: Newcomers }, report: CrashReport): Promise<void> {
  for (const account of honest) {
    const { status, body } = await authority.insist('/refresh', { refresh_token: account.pair.refresh_token })
    if (status !== 200) report.lost.push(`an honest client was logged out: ${status}`)
    else account.pair = body as Pair
  }
  for (const { pair } of leaving.filter(account => account.closed)) {
    const { body } = await authority.insist('/refresh', { refresh_token: pair.refresh_token })
    const own = await authority.insist('/logout', undefined, pair.access_token)
    const codes = [body, own.body].map(answer => (answer as { code?: string } | undefined)?.code)
    if (codes.join() !== 'invalid_grant,invalid_token') report.lost.push(`an answered revocation was lost: ${codes.join()}`)
  }
  for (const { email, password, attempted } of changing) {
    const statuses = [await authority.login(email, password), await authority.login(email, attempted)]
    if (!statuses.includes(200)) report.lost.push('neither the answered password nor the attempted one logs in')
    const first = await authority.login(email, PASSWORD)
    if (password !== PASSWORD && first !== 401) report.lost.push(`an answered password change was lost: ${first}`)
  }
  for (const email of newcomers.emails) {
    if (await authority.login(email, PASSWORD) !== 200) report.lost.push('an answered registration was lost')
  }
  for (const pair of newcomers.pairs) {
    const { status } = await authority.insist('/refresh', { refresh_token: pair.refresh_token })
    if (status !== 200) report.lost.push(`an answered log-in was lost: ${status}`)
  }
}

/** One server that is started, killed and started again on the same files. */
export class Authority {
  readonly #command: [string, ...string[]]
  readonly #env: NodeJS.ProcessEnv
  readonly #folder: string
  readonly #url: string
  #child: ChildProcess | undefined

  constructor (command: [string, ...string[]], folder: string, port: number, databaseUrl = `file:${join(folder, 'signet.db')}`) {
    this.#command = command
    this.#folder = folder
    this.#url = `http://127.0.0.1:${port}`
    this.#env = {
      PATH: process.env['PATH'], PORT: String(port), DATABASE_URL: databaseUrl, KEYS_DIR: join(folder, 'keys'),
      BCRYPT_COST: '4', RATE_LIMIT: 'off', HASH_QUEUE: '1000', LOG_LEVEL: 'fatal', DOCS: 'off',
    }
  }

  async start (): Promise<void> {
    const [program, ...args] = this.#command
    this.#child = spawn(program, args, { cwd: this.#folder, env: this.#env, stdio: ['ignore', 'ignore', 'inherit'] })
  }

  async untilReady (): Promise<void> {
    for (let tries = 0; tries < 1_200; tries++) {
      if (await fetch(`${this.#url}/health/ready`).then(({ ok }) => ok, () => false)) return
      await pause(50)
    }
    throw new Error('the server was not ready within a minute')
  }

  hasEnded (): boolean {
    return !this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async crash (): Promise<void> {
    if (!this.#child || this.hasEnded()) return
    const ended = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await ended
  }

  /** Rejects where nothing was answered: the connection was cut, or the database did not answer Signet. */
  async post (path: string, body: object | undefined, token = ''): Promise<{ status: number, body: unknown }> {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const response = await fetch(`${this.#url}${path}`, { method: 'POST', headers, body: body ? JSON.stringify(body) : null })
    const text = await response.text()
    if (response.status === 503) throw new Error(text)
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }

  /** Asks again while nothing is answered, as an honest client does. */
  async insist (path: string, body: object | undefined, token = '', tries = 20): Promise<{ status: number, body: unknown }> {
    return await this.post(path, body, token).catch(async error => {
      if (tries === 0) throw error
      await pause(250)
      return await this.insist(path, body, token, tries - 1)
    })
  }

  async login (email: string, password: string): Promise<number> {
    return (await this.insist('/login', { email, password })).status
  }

  async newAccount (): Promise<Account> {
    const email = `${randomUUID()}@example.com`
    await this.insist('/register', { email, password: PASSWORD })
    const { body } = await this.insist('/login', { email, password: PASSWORD })
    return { email, password: PASSWORD, attempted: PASSWORD, pair: body as Pair, closed: false }
  }
}

/** Below the range of outgoing connections, one of which could otherwise take the port while the server is down. */
export async function freePort (): Promise<number> {
  const port = randomInt(20_000, 32_000)
  const server = createServer()
  const isFree = await new Promise<boolean>(resolve => {
    server.once('error', () => { resolve(false) })
    server.listen(port, '127.0.0.1', () => { server.close(() => { resolve(true) }) })
  })
  return isFree ? port : await freePort()
}
