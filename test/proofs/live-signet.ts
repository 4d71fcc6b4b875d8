// A Signet of one's own for a proof: its process, its files and its users; holds no check.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Pair { access_token: string, refresh_token: string }

export interface LiveSignet {
  url: string
  issuer: string
  keysFolder: string
  /** Registers somebody new and logs them in. */
  logIn: () => Promise<Pair>
  /** Ends the process and removes its files. */
  stop: () => Promise<void>
}

const PASSWORD = 'correct horse battery'
/** Not its address: verifiers are told both. */
const ISSUER = 'https://signet.example'

/** Starts the server that `command` names on a free port, over files of its own where `settings` do not say otherwise. Throws if it ends before it listens. */
export async function startSignet (command: [string, ...string[]], settings: Record<string, string> = {}): Promise<LiveSignet> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-live-'))
  const [program, ...args] = command
  const env = {
    PATH: process.env['PATH'], PORT: '0', DATABASE_URL: `file:${join(folder, 'signet.db')}`, KEYS_DIR: join(folder, 'keys'), ISSUER,
    BCRYPT_COST: '4', RATE_LIMIT: 'off', LOG_LEVEL: 'info', ...settings,
  }
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const stop = async () => {
    child.kill()
    await ended
    await rm(folder, { recursive: true })
  }
  const url = await Promise.race([findUrl(createInterface({ input: child.stdout })), ended.then(() => undefined)])
  if (url) return { url, issuer: ISSUER, keysFolder: env.KEYS_DIR, logIn: async () => await logIn(url), stop }
  await stop()
  throw new Error('Signet ended before it listened.')
}

/** Reads on afterwards too, so that the log never fills its pipe. */
async function findUrl (lines: ReturnType<typeof createInterface>): Promise<string> {
  return await new Promise(resolve => {
    lines.on('line', line => {
      const [, url] = /(http:\S+)\/docs/.exec(line) ?? []
      if (url) resolve(url)
    })
  })
}

async function logIn (url: string): Promise<Pair> {
  const account = { email: `${randomUUID()}@example.com`, password: PASSWORD }
  await post(`${url}/register`, account)
  return await post(`${url}/login`, account) as Pair
}

/** The answer to a POST of JSON. Throws unless it is a success. */
export async function post (url: string, body: object): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`Signet answered ${response.status}: ${await response.text()}`)
  return await response.json()
}
