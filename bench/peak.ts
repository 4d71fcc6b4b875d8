// The most memory that a Signet holds under a minute of refreshes by 64 connections, against node-oidc-provider in memory; holds no server.
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PASSWORD, row, SIGNET, startProgram, type Program } from './peers.js'

interface Refreshed { refresh_token: string }
/** Asks for one thing, and reads the answer as JSON. */
type Post = (path: string, body: string, type: string) => Promise<unknown>
/** One server, and how the holders of its first refresh tokens get each next one. */
interface Stage { child: Program['child'], post: Post, tokens: string[], refresh: (post: Post, token: string) => Promise<string> }

const CONNECTIONS = 64
const MINUTE_MS = 60_000
const JSON_TYPE = 'application/json'

async function started (args: string[], env: Record<string, string>, isReady: RegExp): Promise<Program & { post: Post }> {
  const { child, said } = await startProgram(args, env, isReady)
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)![0]
  const agent = new Agent({ keepAlive: true })
  const post: Post = async (path, body, type) => await new Promise((resolve, reject) => {
    request(url + path, { agent, method: 'POST', headers: { 'content-type': type, 'content-length': Buffer.byteLength(body) } }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => { text += String(chunk) }).on('end', () => {
        if (response.statusCode! < 300) resolve(JSON.parse(text))
        else reject(new Error(`${path} answered ${response.statusCode}: ${text}`))
      })
    }).on('error', reject).end(body)
  })
  return { child, said, post }
}

async function openSignet (folder: string): Promise<Stage> {
  const env = { PORT: '0', DATABASE_URL: `file:${join(folder, 'signet.db')}`, KEYS_DIR: join(folder, 'keys'), RATE_LIMIT: 'off', BCRYPT_COST: '4', HASH_QUEUE: '1000' }
  const { child, post } = await started([SIGNET], env, /ready: http/)
  const tokens = await Promise.all(Array.from({ length: CONNECTIONS }, async (_, index) => {
    const account = JSON.stringify({ email: `user${index}@example.com`, password: PASSWORD })
    await post('/register', account, JSON_TYPE)
    return (await post('/login', account, JSON_TYPE) as Refreshed).refresh_token
  }))
  return { child, post, tokens, refresh: async (post, token) => (await post('/refresh', JSON.stringify({ refresh_token: token }), JSON_TYPE) as Refreshed).refresh_token }
}

async function openOidcProvider (): Promise<Stage> {
  const { child, said, post } = await started([fileURLToPath(new URL('./oidc-provider.js', import.meta.url)), String(CONNECTIONS)], {}, /\]\n/)
  const tokens = JSON.parse(/^\[.*\]$/m.exec(said)![0]) as string[]
  const refresh: Stage['refresh'] = async (post, token) => {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'bench', refresh_token: token })
    return (await post('/token', String(form), 'application/x-www-form-urlencoded') as Refreshed).refresh_token
  }
  return { child, post, tokens, refresh }
}

/** MiB. Linux alone tells it of another process. */
async function peakOf ({ child, post, tokens, refresh }: Stage): Promise<{ peak: number, count: number }> {
  const end = performance.now() + MINUTE_MS
  let count = 0
  await Promise.all(tokens.map(async first => { for (let token = first; performance.now() < end; count++) token = await refresh(post, token) }))
  const peak = Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024
  child.kill()
  await once(child, 'close')
  return { peak, count }
}

/** Prints the ratio of the peaks. */
export async function benchPeak (): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-peak-'))
  const [ours, theirs] = [await peakOf(await openSignet(folder)), await peakOf(await openOidcProvider())]
  await rm(folder, { recursive: true })
  const ratio = ours.peak / theirs.peak
  process.stdout.write(row('peak memory of refreshes / node-oidc-provider', ratio, '<= 1', ratio <= 1, `${ours.peak.toFixed(0)} to ${theirs.peak.toFixed(0)} MiB, ${ours.count} to ${theirs.count} refreshes`))
}
