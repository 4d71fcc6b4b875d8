// Races for one link, resets in a storm, kills in the middle of them, and guesses without end, against live servers; holds no rule of the server's.
import { randomInt, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from '../program.js'
import { codeAt, stepAt } from './authenticator-app.js'
import { Fleet } from './fleet.js'
import { PASSWORD, type Account, type Answer, type LiveSignet, type Pair } from './live-signet.js'
import { Mailbox } from './mailbox.js'

export interface Wish {
  command: Command
  servers: number
  /** Of each race, each storm and each kill. */
  rounds: number
  guesses: number
  /** Where the servers keep their users; a file of the first one's where it is absent, which then is the only one. */
  databaseUrl?: string
  /** Of the servers, beside those of the proof. */
  settings?: Record<string, string>
}

export interface RecoveryReport {
  races: number
  storms: number
  /** Kills, and how many of them found the new password set. */
  kills: number
  setByThen: number
  /** Of the guesses, by what they were answered. */
  guesses: { passed: number, wrong: number, limited: number }
  faults: string[]
}

const RACERS = 64
const DEVICES = 6
const GUESSERS = 16
/** What a log-in's ticket is good for is less than the guesses take, so that each guesser gets a new one at times. */
const GUESSES_PER_TICKET = 250
const TRIES = 20
const PAUSE_MS = 250

interface Authority { fleet: Fleet, mailbox: Mailbox, report: RecoveryReport }

/** Runs all of it. The limits by address are out of the way, for all come from one; those by account are as they are by default. */
export async function proveRecovery ({ command, servers, rounds, guesses, databaseUrl, settings: more }: Wish): Promise<RecoveryReport> {
  const [folder, mailbox] = [await mkdtemp(join(tmpdir(), 'signet-recovery-')), await Mailbox.open()]
  const report: RecoveryReport = { races: 0, storms: 0, kills: 0, setByThen: 0, guesses: { passed: 0, wrong: 0, limited: 0 }, faults: [] }
  const settings = {
    KEYS_DIR: join(folder, 'keys'), DATABASE_URL: databaseUrl ?? `file:${join(folder, 'signet.db')}`,
    MAIL_URL: mailbox.url, MAIL_FROM: 'signet@signet.example', RATE_LIMIT: 'true', RATE_LIMIT_MAX: '1000000', RATE_LIMIT_LOGIN_MAX: '1000000', RATE_LIMIT_REGISTER_MAX: '1000000', TRUST_PROXY: '127.0.0.1', ...more,
  }
  const fleet = await Fleet.open(command, servers, settings)
  const authority = { fleet, mailbox, report }
  try {
    await Promise.all(fleet.servers.map(async server => { await server.untilReady() }))
    for (let round = 0; round < rounds; round++) {
      await race(authority)
      await storm(authority)
      await kill(authority)
    }
    await guess(authority, guesses)
    if (fleet.hasLost()) report.faults.push('a server ended by itself')
  } finally {
    await fleet.close()
    await mailbox.close()
    await rm(folder, { recursive: true })
  }
  return report
}

/** Many set a password by one link, each another: one of them does. */
async function race ({ fleet, mailbox, report }: Authority): Promise<void> {
  const user = await newUser(fleet)
  const token = await linkFor(user.email, fleet, mailbox)
  const passwords = Array.from({ length: RACERS }, () => `password ${randomUUID()}`)
  const answers = await Promise.all(passwords.map(async (password, racer) => await serverOf(fleet, racer).post('/reset-password', { token, new_password: password })))
  const [winner, ...others] = passwords.filter((_, racer) => answers[racer]!.status === 204)
  if (winner === undefined || others.length > 0) report.faults.push(`${others.length + (winner ? 1 : 0)} of ${RACERS} set a password by one link`)
  const strange = answers.filter(({ status, body }) => status !== 204 && codeOf({ status, body }) !== 'invalid_reset_token')
  if (strange.length > 0) report.faults.push(`a link that was used was answered ${strange[0]!.status}`)
  if (winner !== undefined && await statusOfLogIn(fleet, user.email, winner) !== 200) report.faults.push('the password that was set does not log in')
  const loser = passwords.find(password => password !== winner)!
  if (await statusOfLogIn(fleet, user.email, loser) !== 401) report.faults.push('a password that was refused logs in')
  report.races++
}

/** Devices refresh, and others log in with the old password, while another is set: nothing that they got is good afterwards. */
async function storm ({ fleet, mailbox, report }: Authority): Promise<void> {
  const user = await newUser(fleet)
  const token = await linkFor(user.email, fleet, mailbox)
  const pairs: Pair[] = [user.pair]
  const end = { isReached: false }
  const working = Array.from({ length: DEVICES }, async (_, device) => {
    let pair = await logIn(serverOf(fleet, device), user)
    while (pair && !end.isReached) {
      pairs.push(pair)
      const server = serverOf(fleet, randomInt(DEVICES))
      const answer = device % 2 === 0 ? await server.post('/refresh', { refresh_token: pair.refresh_token }) : await server.post('/login', { email: user.email, password: user.password })
      pair = answer.status === 200 ? answer.body as Pair : undefined
    }
    if (pair) pairs.push(pair)
  })
  await pause(randomInt(50, 300))
  const password = `password ${randomUUID()}`
  const { status } = await serverOf(fleet, randomInt(DEVICES)).post('/reset-password', { token, new_password: password })
  if (status !== 204) report.faults.push(`a reset in a storm was answered ${status}`)
  end.isReached = true
  await Promise.all(working)
  for (const pair of pairs) {
    const server = serverOf(fleet, randomInt(DEVICES))
    const [refreshed, seen] = [await server.post('/refresh', { refresh_token: pair.refresh_token }), await server.ask('GET', '/user-info', undefined, pair.access_token)]
    if (refreshed.status !== 401 || seen.status !== 401) report.faults.push(`what was got before a reset is good after it: ${refreshed.status}, ${seen.status}`)
  }
  if (await statusOfLogIn(fleet, user.email, user.password) !== 401) report.faults.push('the old password logs in after a reset')
  if (await statusOfLogIn(fleet, user.email, password) !== 200) report.faults.push('the password that was set in a storm does not log in')
  report.storms++
}

/** A server is killed between the mail and the answer: either the new password is set and the link used up, or it is good still, once. */
async function kill ({ fleet, mailbox, report }: Authority): Promise<void> {
  const user = await newUser(fleet)
  const token = await linkFor(user.email, fleet, mailbox)
  const [struck] = fleet.servers as [LiveSignet]
  const password = `password ${randomUUID()}`
  const answer = struck.post('/reset-password', { token, new_password: password }).catch(() => undefined)
  await pause(randomInt(12))
  await struck.crash()
  const answered = await answer
  await struck.start()
  await struck.untilReady()
  report.kills++
  const isSet = await statusOfLogIn(fleet, user.email, password) === 200
  if (isSet) report.setByThen++
  if (answered?.status === 204 && !isSet) report.faults.push('a reset that was answered is lost')
  const again = `password ${randomUUID()}`
  const { status } = await struck.post('/reset-password', { token, new_password: again })
  if (status !== (isSet ? 400 : 204)) report.faults.push(`after a kill a link whose password was ${isSet ? '' : 'not '}set was answered ${status}`)
  if (await statusOfLogIn(fleet, user.email, isSet ? password : again) !== 200) report.faults.push('after a kill neither password logs in')
  if ((await struck.post('/reset-password', { token, new_password: PASSWORD })).status !== 400) report.faults.push('a link was used twice')
}

/** Who knows the password guesses codes, from as many addresses as there are guesses. */
async function guess ({ fleet, report }: Authority, guesses: number): Promise<void> {
  const user = await newUser(fleet)
  const right = await addApp(fleet.servers[0]!, user.pair)
  const counts = report.guesses
  let left = guesses
  await Promise.all(Array.from({ length: GUESSERS }, async (_, guesser) => {
    const server = serverOf(fleet, guesser)
    let ticket = ''
    for (let made = 0; left-- > 0; made++) {
      if (made % GUESSES_PER_TICKET === 0) ticket = await ticketFor(server, user)
      const code = wrongCode(right)
      const { status, body } = await server.post('/login/second-factor', { ticket, code }, '', { 'x-forwarded-for': `2001:db8:${randomInt(65_536).toString(16)}:${randomInt(65_536).toString(16)}::1` })
      if (status === 200) counts.passed++
      else if (status === 429) counts.limited++
      else if (codeOf({ status, body }) === 'invalid_second_factor') counts.wrong++
      else report.faults.push(`a guess was answered ${status} ${codeOf({ status, body })}`)
    }
  }))
  if (counts.passed > 0) report.faults.push(`${counts.passed} guesses passed`)
  if (counts.wrong > MOST_WRONG) report.faults.push(`${counts.wrong} guesses were tried`)
}

/** A day's for one account. */
const MOST_WRONG = 10

/** None that is good about now: one of so many would be by chance, which says nothing of the server. */
function wrongCode (secret: string): string {
  const now = stepAt(Date.now())
  const good = [-2, -1, 0, 1, 2].map(step => codeAt(secret, now + step))
  const code = String(randomInt(1_000_000)).padStart(6, '0')
  return good.includes(code) ? wrongCode(secret) : code
}

/** Gives the user an authenticator app, and returns its secret. */
async function addApp (server: LiveSignet, { access_token: accessToken }: Pair): Promise<string> {
  const { secret, ticket } = (await server.post('/second-factors/totp', {}, accessToken)).body as { secret: string, ticket: string }
  const { status } = await server.post('/second-factors/totp/confirm', { ticket, code: codeAt(secret, stepAt(Date.now())) }, accessToken)
  if (status !== 201) throw new Error(`An authenticator app was answered ${status}.`)
  return secret
}

// More at once than there are guesses of the password left are told to come again.
async function ticketFor (server: LiveSignet, { email, password }: Account): Promise<string> {
  let answer = await server.post('/login', { email, password })
  for (let tries = 0; answer.status === 429 && tries < TRIES; tries++) {
    await pause(PAUSE_MS)
    answer = await server.post('/login', { email, password })
  }
  if (codeOf(answer) !== 'second_factor_required') throw new Error(`A log-in with another factor was answered ${answer.status} ${codeOf(answer)}.`)
  return (answer.body as { ticket: string }).ticket
}

async function newUser (fleet: Fleet): Promise<Account & { pair: Pair }> {
  return await fleet.servers[0]!.newUser()
}

async function linkFor (email: string, fleet: Fleet, mailbox: Mailbox): Promise<string> {
  const { status } = await fleet.servers[0]!.post('/forgot-password', { email })
  if (status !== 202) throw new Error(`A forgotten password was answered ${status}.`)
  return await mailbox.token(email, 'reset-password')
}

async function logIn (server: LiveSignet, { email, password }: Account): Promise<Pair | undefined> {
  const { status, body } = await server.post('/login', { email, password })
  return status === 200 ? body as Pair : undefined
}

async function statusOfLogIn (fleet: Fleet, email: string, password: string): Promise<number> {
  return (await fleet.servers[0]!.insist('/login', { email, password })).status
}

function serverOf ({ servers }: Fleet, index: number): LiveSignet {
  return servers[index % servers.length]!
}

function codeOf ({ body }: Answer): string | undefined {
  return (body as { code?: string } | undefined)?.code
}
