// Kills a real server, or its database, in a storm, again and again, and looks for what was answered and lost; holds no rule of the server's.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from '../program.js'
import { LiveSignet, PASSWORD, type Account, type Pair } from './live-signet.js'

export interface CrashReport { rounds: number, answered: Record<'registrations' | 'logIns' | 'passwordChanges' | 'revocations' | 'refreshes', number>, lost: string[] }

/** A database that is struck in the place of the server. */
export interface Database { url: string, crash: () => Promise<void>, start: () => Promise<void> }

interface Storm { command: Command, rounds: number, database?: Database }

interface Client extends Account { attempted: string, pair: Pair, closed: boolean }
interface Newcomers { emails: string[], pairs: Pair[] }

const CLIENTS = 8
const LOOK_EVERY_MS = 10

/**
 * Runs `rounds` storms against the server that `command` starts, and checks every answer afterwards. Each storm ends with a SIGKILL to
 * the server, on its embedded store, or with a crash of the database where there is one, which the server must outlive.
 */
export async function proveCrashes ({ rounds, command, database }: Storm): Promise<CrashReport> {
  await database?.start()
  const signet = await LiveSignet.open(command, database && { DATABASE_URL: database.url })
  const report: CrashReport = { rounds, answered: { registrations: 0, logIns: 0, passwordChanges: 0, revocations: 0, refreshes: 0 }, lost: [] }
  const strike = async () => { await (database ?? signet).crash() }
  const recover = async () => {
    await (database ?? signet).start()
    await signet.untilReady()
  }
  try {
    await signet.untilReady()
    const honest = await Promise.all(Array.from({ length: CLIENTS }, async () => await newClient(signet)))
    for (let round = 0; round < rounds; round++) await runRound(signet, { strike, recover }, honest, report)
    if (signet.hasEnded()) report.lost.push('the server ended by itself')
  } finally {
    await signet.crash()
    await signet.close()
  }
  return report
}

async function runRound (signet: LiveSignet, { strike, recover }: { strike: () => Promise<void>, recover: () => Promise<void> }, honest: Client[], report: CrashReport): Promise<void> {
  const leaving = await Promise.all(Array.from({ length: CLIENTS }, async () => await newClient(signet)))
  const changing = await Promise.all(Array.from({ length: CLIENTS }, async () => await newClient(signet)))
  const newcomers: Newcomers = { emails: [], pairs: [] }
  const before = { ...report.answered }
  const end = { isReached: false }
  // Each ends with the connection that is cut, or with a 503, after which nobody knows what was done.
  const storm = Promise.allSettled([
    ...honest.map(async account => { await keepRefreshing(signet, account, report) }),
    ...leaving.map(async (account, index) => { await leave(signet, account, index, report) }),
    ...changing.map(async account => { await keepChanging(signet, account, report) }),
    ...Array.from({ length: CLIENTS / 2 }, async () => { await keepRegistering(signet, newcomers, report) }),
  ]).finally(() => { end.isReached = true })
  await pause(100 + Math.random() * 600)
  // On a busy machine that may be before anything is answered that could be lost.
  while (!end.isReached && (report.answered.refreshes === before.refreshes || report.answered.revocations === before.revocations)) await pause(LOOK_EVERY_MS)
  if (signet.hasEnded()) report.lost.push('the server ended by itself in a storm')
  await strike()
  await storm
  await recover()
  await check(signet, { honest, leaving, changing, newcomers }, report)
}

async function keepRefreshing (signet: LiveSignet, account: Client, report: CrashReport): Promise<void> {
  for (;;) {
    const { status, body } = await signet.post('/refresh', { refresh_token: account.pair.refresh_token })
    if (status !== 200) {
      report.lost.push(`an honest client was answered ${status} in a storm`)
      return
    }
    account.pair = body as Pair
    report.answered.refreshes++
  }
}

async function leave (signet: LiveSignet, account: Client, index: number, report: CrashReport): Promise<void> {
  await pause(Math.random() * 200)
  const { status } = await signet.post(index % 2 === 0 ? '/logout' : '/revoke-all-tokens', undefined, account.pair.access_token)
  account.closed = status < 300
  report.answered.revocations++
}

async function keepChanging (signet: LiveSignet, account: Client, report: CrashReport): Promise<void> {
  for (;;) {
    account.attempted = `password ${randomUUID()}`
    const { status, body } = await signet.post('/change-password', { current_password: account.password, new_password: account.attempted }, account.pair.access_token)
    if (status !== 200) {
      report.lost.push(`a password change was answered ${status}`)
      return
    }
    account.password = account.attempted
    account.pair = body as Pair
    report.answered.passwordChanges++
  }
}

async function keepRegistering (signet: LiveSignet, { emails, pairs }: Newcomers, report: CrashReport): Promise<void> {
  for (;;) {
    const account = { email: `${randomUUID()}@example.com`, password: PASSWORD }
    const { status } = await signet.post('/register', account)
    if (status !== 201) {
      report.lost.push(`a registration was answered ${status}`)
      return
    }
    emails.push(account.email)
    report.answered.registrations++
    const login = await signet.post('/login', account)
    if (login.status !== 200) {
      report.lost.push(`a log-in was answered ${login.status}`)
      return
    }
    pairs.push(login.body as Pair)
    report.answered.logIns++
  }
}

async function check (signet: LiveSignet, { honest, leaving, changing, newcomers }: { honest: Client[], leaving: Client[], changing: Client[], newcomers: Newcomers }, report: CrashReport): Promise<void> {
  for (const account of honest) {
    const { status, body } = await signet.insist('/refresh', { refresh_token: account.pair.refresh_token })
    if (status !== 200) report.lost.push(`an honest client was logged out: ${status}`)
    else account.pair = body as Pair
  }
  for (const { pair } of leaving.filter(account => account.closed)) {
    const { body } = await signet.insist('/refresh', { refresh_token: pair.refresh_token })
    const own = await signet.insist('/logout', undefined, pair.access_token)
    const codes = [body, own.body].map(answer => (answer as { code?: string } | undefined)?.code)
    if (codes.join() !== 'invalid_grant,invalid_token') report.lost.push(`an answered revocation was lost: ${codes.join()}`)
  }
  for (const { email, password, attempted } of changing) {
    const statuses = [await statusOfLogIn(signet, email, password), await statusOfLogIn(signet, email, attempted)]
    if (!statuses.includes(200)) report.lost.push('neither the answered password nor the attempted one logs in')
    const first = await statusOfLogIn(signet, email, PASSWORD)
    if (password !== PASSWORD && first !== 401) report.lost.push(`an answered password change was lost: ${first}`)
  }
  for (const email of newcomers.emails) {
    if (await statusOfLogIn(signet, email, PASSWORD) !== 200) report.lost.push('an answered registration was lost')
  }
  for (const pair of newcomers.pairs) {
    const { status } = await signet.insist('/refresh', { refresh_token: pair.refresh_token })
    if (status !== 200) report.lost.push(`an answered log-in was lost: ${status}`)
  }
}

async function statusOfLogIn (signet: LiveSignet, email: string, password: string): Promise<number> {
  return (await signet.insist('/login', { email, password })).status
}

async function newClient (signet: LiveSignet): Promise<Client> {
  const account = await signet.newUser()
  return { ...account, attempted: account.password, closed: false }
}
