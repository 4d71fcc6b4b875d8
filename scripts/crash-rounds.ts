// Kills a real server in a storm, again and again, and looks for what was answered and lost; holds no rule of the server's.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface CrashReport { rounds: number, answered: Record<'registrations' | 'passwordChanges' | 'revocations' | 'refreshes', number>, lost: string[] }

interface Pair { access_token: string, refresh_token: string }
interface Account { email: string, password: string, attempted: string, pair: Pair, closed: boolean }

const CLIENTS = 8
const PASSWORD = 'correct horse battery'

/** Runs `rounds` storms against the server that `command` starts, each ended by SIGKILL, and checks every answer after a restart. */
export async function proveCrashes ({ rounds, command }: { rounds: number, command: [string, ...string[]] }): Promise<CrashReport> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-crash-'))
  const authority = new Authority(command, folder, await freePort())
  const report: CrashReport = { rounds, answered: { registrations: 0, passwordChanges: 0, revocations: 0, refreshes: 0 }, lost: [] }
  try {
    await authority.start()
    const honest = await Promise.all(Array.from({ length: CLIENTS }, async () => await authority.newAccount()))
    for (let round = 0; round < rounds; round++) await runRound(authority, honest, report)
  } finally {
    await authority.kill()
    await rm(folder, { recursive: true })
  }
  return report
}

async function runRound (authority: Authority, honest: Account[], report: CrashReport): Promise<void> {
  const leaving = await Promise.all(Array.from({ length: CLIENTS }, async () => await authority.newAccount()))
  const changing = await Promise.all(Array.from({ length: CLIENTS }, async () => await authority.newAccount()))
  const registered: string[] = []
  // Each ends with the connection that is cut.
  const storm = Promise.allSettled([
    ...honest.map(async account => { await keepRefreshing(authority, account, report) }),
    ...leaving.map(async (account, index) => { await leave(authority, account, index, report) }),
    ...changing.map(async account => { await keepChanging(authority, account, report) }),
    keepRegistering(authority, registered, report),
  ])
  await pause(50 + Math.random() * 250)
  if (authority.hasEnded()) report.lost.push('the server ended by itself in a storm')
  await authority.kill()
  await storm
  await authority.start()
  await check(authority, { honest, leaving, changing, registered }, report)
}

async function keepRefreshing (authority: Authority, account: Account, report: CrashReport): Promise<void> {
  for (;;) {
    const { status, body } = await authority.post('/refresh', { refresh_token: account.pair.refresh_token })
    if (status !== 200) report.lost.push(`an honest client was answered ${status} in a storm`)
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
    const { status } = await authority.post('/change-password', { current_password: account.password, new_password: account.attempted }, account.pair.access_token)
    if (status !== 204) report.lost.push(`a password change was answered ${status}`)
    account.password = account.attempted
    report.answered.passwordChanges++
  }
}

async function keepRegistering (authority: Authority, registered: string[], report: CrashReport): Promise<void> {
  for (;;) {
    const email = `${randomUUID()}@example.com`
    const { status } = await authority.post('/register', { email, password: PASSWORD })
    if (status !== 201) report.lost.push(`a registration was answered ${status}`)
    registered.push(email)
    report.answered.registrations++
  }
}

async function check (authority: Authority, { honest, leaving, changing, registered }: { honest: Account[], leaving: Account[], changing: Account[], registered: string[] }, report: CrashReport): Promise<void> {
  for (const account of honest) {
    const { status, body } = await authority.post('/refresh', { refresh_token: account.pair.refresh_token })
    if (status !== 200) report.lost.push(`an honest client was logged out: ${status}`)
    else account.pair = body as Pair
  }
  for (const { pair } of leaving.filter(account => account.closed)) {
    const { body } = await authority.post('/refresh', { refresh_token: pair.refresh_token })
    const own = await authority.post('/logout', undefined, pair.access_token)
    const codes = [body, own.body].map(answer => (answer as { code?: string } | undefined)?.code)
    if (codes.join() !== 'invalid_grant,invalid_token') report.lost.push(`an answered revocation was lost: ${codes.join()}`)
  }
  for (const { email, password, attempted } of changing) {
    const statuses = [await authority.login(email, password), await authority.login(email, attempted)]
    if (!statuses.includes(200)) report.lost.push('neither the answered password nor the attempted one logs in')
    const first = await authority.login(email, PASSWORD)
    if (password !== PASSWORD && first !== 401) report.lost.push(`an answered password change was lost: ${first}`)
  }
  for (const email of registered) {
    if (await authority.login(email, PASSWORD) !== 200) report.lost.push('an answered registration was lost')
  }
}

/** One server that is started, killed and started again on the same files. */
class Authority {
  readonly #command: [string, ...string[]]
  readonly #env: NodeJS.ProcessEnv
  readonly #folder: string
  readonly #url: string
  #child: ChildProcess | undefined

  constructor (command: [string, ...string[]], folder: string, port: number) {
    this.#command = command
    this.#folder = folder
    this.#url = `http://127.0.0.1:${port}`
    this.#env = {
      PATH: process.env['PATH'], PORT: String(port), DATABASE_URL: `file:${join(folder, 'signet.db')}`, KEYS_DIR: join(folder, 'keys'),
      BCRYPT_COST: '4', RATE_LIMIT: 'off', HASH_QUEUE: '1000', LOG_LEVEL: 'fatal', DOCS: 'off',
    }
  }

  async start (): Promise<void> {
    const [program, ...args] = this.#command
    this.#child = spawn(program, args, { cwd: this.#folder, env: this.#env, stdio: ['ignore', 'ignore', 'inherit'] })
    for (let tries = 0; tries < 200; tries++) {
      if (await fetch(`${this.#url}/health/ready`).then(({ ok }) => ok, () => false)) return
      await pause(50)
    }
    throw new Error('the server did not start within ten seconds')
  }

  hasEnded (): boolean {
    return !this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async kill (): Promise<void> {
    if (!this.#child || this.hasEnded()) return
    const ended = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await ended
  }

  async post (path: string, body: object | undefined, token = ''): Promise<{ status: number, body: unknown }> {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const response = await fetch(`${this.#url}${path}`, { method: 'POST', headers, body: body ? JSON.stringify(body) : null })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }

  async login (email: string, password: string): Promise<number> {
    return (await this.post('/login', { email, password })).status
  }

  async newAccount (): Promise<Account> {
    const email = `${randomUUID()}@example.com`
    await this.post('/register', { email, password: PASSWORD })
    const { body } = await this.post('/login', { email, password: PASSWORD })
    return { email, password: PASSWORD, attempted: PASSWORD, pair: body as Pair, closed: false }
  }
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
