// The process: settings, store, key ring, application, listening, signals, and a graceful end; holds no rule.
import { pathToFileURL } from 'node:url'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { buildApp } from './app.js'
import { keyTerms, readConfig, readEnvironment, type Config } from './config.js'
import { Hasher } from './hashing/hasher.js'
import { Connections, type Farewell } from './http/connections.js'
import { connectionsAllowed } from './http/open-files.js'
import { TlsFiles, type TlsUse } from './http/tls-files.js'
import { KeyRing, readRing, type ReadRing } from './keyring/key-ring.js'
import { createRing } from './keyring/ring-changes.js'
import { ringPlace, type RingPlace } from './keyring/ring-files.js'
import { RingWatcher, type RingLog } from './keyring/ring-watcher.js'
import { outliveReaders } from './log.js'
import { openStore } from './store/open-store.js'

/** Together eight seconds for what is in flight, and less than two where nothing is. */
const FAREWELL: Farewell = { linger: 1_000, settle: 500, patience: 6_400 }
/** A proxy that we trust ends a connection before we do: the usual one within a minute. Others need none for so long. Milliseconds. */
const KEEP_ALIVE_MS = { proxy: 72_000, client: 30_000 }
/** Another server that makes the ring gets this long. */
const RING_PATIENCE_MS = 10_000

/** A Signet that runs: `stop` ends it, `look` looks at once at the files that it follows. */
export interface Running { app: FastifyInstance, stop: () => Promise<void>, look: () => Promise<void> }

/** Starts Signet, which will end as `farewell` says. Throws a sentence if it cannot start. */
export async function start (config: Config, farewell = FAREWELL): Promise<Running> {
  const tls = config.TLS_CERT_FILE ? await TlsFiles.open({ cert: config.TLS_CERT_FILE, key: config.TLS_KEY_FILE }) : undefined
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
    const connections = new Connections({ max: connectionsAllowed(config.MAX_CONNECTIONS), keepAlive: KEEP_ALIVE_MS[config.TRUST_PROXY ? 'proxy' : 'client'] })
    const app = await buildApp({ config, store, keyRing, hasher, connections, clock: Date.now, log: process.stdout, ...(tls && { tls }) })
    if (isNew) app.log.info({ folder: config.KEYS_DIR }, 'made a key ring: a signing key and a refresh secret')
    await listen(app, config)
    const watcher = new RingWatcher({ place, keyRing, ring, terms: keyTerms(config), clock: Date.now, log: ringLog(app.log) })
    watcher.start()
    const tlsUse = useOfTls(connections, app.log)
    const stopFollowing = tls?.follow(tlsUse)
    const stop = async () => {
      await connections.end(farewell)
      await app.close()
      stopFollowing?.()
      await watcher.stop()
      await closeParts()
    }
    const look = async () => { await Promise.all([watcher.look(), tls?.look(tlsUse)]) }
    return { app, stop, look }
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

function useOfTls (connections: Connections, log: FastifyBaseLogger): TlsUse {
  return {
    use: pair => { connections.useCertificate(pair) },
    clock: Date.now,
    adopted: validTo => { log.info({ valid_to: validTo }, 'certificate changed') },
    refused: err => { log.error({ err }, 'the TLS files cannot be used; the certificate in use is kept') },
  }
}

async function listen (app: FastifyInstance, { HOST: host, PORT: port, ACCOUNT_PAGE: page }: Config): Promise<void> {
  try {
    await app.listen({ host, port, listenTextResolver: address => readyText(address, page) })
  } catch (cause) {
    await app.close()
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw new Error(isTaken ? `Port ${port} of ${host} is taken: stop what listens there, or set PORT.` : `Signet cannot listen on ${host}:${port}: ${(cause as Error).message}.`, { cause })
  }
}

function readyText (address: string, page: Config['ACCOUNT_PAGE']): string {
  return `Signet is ready: ${address}/docs${page === 'true' ? `, and for people: ${address}/account` : ''}`
}

async function main (): Promise<void> {
  outliveReaders([process.stdout, process.stderr])
  const starting = start(readConfig(readEnvironment()))
  process.on('SIGHUP', () => { void starting.then(async ({ look }) => { await look() }) })
  const { stop } = await starting
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => { void stop().then(() => process.exit(0)) })
}

if (import.meta.url === pathToFileURL(String(process.argv[1])).href) {
  main().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  })
}
