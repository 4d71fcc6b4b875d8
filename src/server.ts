// The process: settings, store, key ring, application, listening, and a graceful end; holds no rule.
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { buildApp } from './app.js'
import { keyTerms, readConfig, readEnvironment, type Config } from './config.js'
import { Hasher } from './hashing/hasher.js'
import { KeyRing, readRing, type ReadRing } from './keyring/key-ring.js'
import { createRing } from './keyring/ring-changes.js'
import { ringPlace, type RingPlace } from './keyring/ring-files.js'
import { RingWatcher, type RingLog } from './keyring/ring-watcher.js'
import { openStore } from './store/open-store.js'

/** Requests in flight get this long to finish, in milliseconds. */
const DRAIN_MS = 8_000
/** Another server that makes the ring gets this long. */
const RING_PATIENCE_MS = 10_000

/** Starts Signet and returns what stops it again, within `drainMs` milliseconds. Throws a sentence if it cannot start. */
export async function start (config: Config, { drainMs } = { drainMs: DRAIN_MS }): Promise<{ app: FastifyInstance, stop: () => Promise<void> }> {
  const tls = await readTls(config)
  const place = await ringPlace(config.KEYS_DIR, config.KEYS_PASSPHRASE_FILE)
  const { ring, isNew } = await openRing(place, config)
  const keyRing = new KeyRing(ring.parts)
  const store = openStore(config.DATABASE_URL)
  const hasher = new Hasher({ cost: config.BCRYPT_COST, threads: config.HASH_THREADS, queue: config.HASH_QUEUE })
  const closeParts = async () => {
    await hasher.close()
    await store.close()
  }
  try {
    const app = await buildApp({ config, store, keyRing, hasher, clock: Date.now, log: process.stdout, ...(tls && { tls }) })
    if (isNew) app.log.info({ folder: config.KEYS_DIR }, 'made a key ring: a signing key and a refresh secret')
    await listen(app, config)
    const watcher = new RingWatcher({ place, keyRing, ring, terms: keyTerms(config), clock: Date.now, uptime: () => performance.now(), log: ringLog(app.log) })
    watcher.start()
    const stop = async () => {
      await drain(app, drainMs)
      await watcher.stop()
      await closeParts()
    }
    return { app, stop }
  } catch (error) {
    await closeParts()
    throw error
  }
}

async function openRing (place: RingPlace, { NODE_ENV: environment }: Config): Promise<{ ring: ReadRing, isNew: boolean }> {
  const present = await readRing(place)
  if (present) return { ring: present, isNew: false }
  if (environment === 'production') throw new Error(`There is no key ring in ${place.folder}: make one with \`npm run keys:generate\`.`)
  const isNew = await createRing(place, { now: Date.now(), by: 'server' }, { milliseconds: RING_PATIENCE_MS })
  return { ring: (await readRing(place))!, isNew }
}

function ringLog (log: FastifyBaseLogger): RingLog {
  return {
    adopted: active => { log.info(active, 'key ring changed; these keys are active') },
    refused: err => { log.error({ err }, 'the key ring on disk cannot be used; the one in use is kept') },
    stepsTaken: (kind, steps) => { log.info({ kind, steps }, 'key ring kept up') },
    upkeepFailed: err => { log.error({ err }, 'the key ring could not be kept up') },
  }
}

async function readTls ({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }: Config): Promise<{ cert: Buffer, key: Buffer } | undefined> {
  if (!cert) return undefined
  const read = async (name: string, path: string) => await readFile(path).catch((cause: Error) => { throw new Error(`The setting ${name} names a file that cannot be read: ${cause.message}.`, { cause }) })
  return { cert: await read('TLS_CERT_FILE', cert), key: await read('TLS_KEY_FILE', key) }
}

async function listen (app: FastifyInstance, config: Config): Promise<void> {
  const { HOST: host, PORT: port } = config
  try {
    await app.listen({ host, port, listenTextResolver: address => readyText(address, config) })
  } catch (cause) {
    await app.close()
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw new Error(isTaken ? `Port ${port} of ${host} is taken: stop what listens there, or set PORT.` : `Signet cannot listen on ${host}:${port}: ${(cause as Error).message}.`, { cause })
  }
}

function readyText (address: string, { DOCS: docs, ACCOUNT_PAGE: page }: Config): string {
  return `Signet is ready: ${address}${docs === 'on' ? '/docs' : ''}${page === 'true' ? `, and for people: ${address}/account` : ''}`
}

async function drain (app: FastifyInstance, milliseconds: number): Promise<void> {
  const timer = setTimeout(() => { app.server.closeAllConnections() }, milliseconds)
  await app.close()
  clearTimeout(timer)
}

async function main (): Promise<void> {
  const { stop } = await start(readConfig(readEnvironment()))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => { void stop().then(() => process.exit(0)) })
}

if (import.meta.url === pathToFileURL(String(process.argv[1])).href) {
  main().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  })
}
