// The process: settings, store, key ring, application, listening, signals, and a graceful end; holds no rule.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { buildApp } from './app.js'
import type { Mail } from './background.js'
import { keyTerms, partOfWorker, readConfig, readEnvironment, withPort, workersOf, type Config } from './config.js'
import { readSender, type Sender } from './core/letters.js'
import { Hasher } from './hashing/hasher.js'
import { Connections, type Farewell } from './http/edge/connections.js'
import { connectionsAllowed } from './http/edge/open-files.js'
import { TlsFiles, type TlsUse } from './http/edge/tls-files.js'
import { KeyRing, readRing, signAtOnce, signInPool, type ReadRing } from './keyring/key-ring.js'
import { createRing } from './keyring/ring-changes.js'
import { historiesOf, ringPlace, type RingPlace } from './keyring/ring-files.js'
import { RingWatcher, type RingLog } from './keyring/ring-watcher.js'
import { outliveReaders } from './log.js'
import { keyEvents } from './services/key-events.js'
import { fileOf, openStore, unnamedDatabase } from './store/open-store.js'
import type { Store } from './store/store.js'
import { findTracing } from './tracing.js'
import { isWorker, tellLeader, whoWasReplaced, Workers } from './workers.js'

/** Together eight seconds for what is in flight, and less than two where nothing is. */
const FAREWELL: Farewell = { linger: 1_000, settle: 500, patience: 6_400 }
/** A worker listens until it is told to stop, which it is a little later where many connect. */
const LED_FAREWELL: Farewell = { ...FAREWELL, linger: 4_000, patience: 5_400 }
/** A proxy that we trust ends a connection before we do: the usual one within a minute. Others need none for so long. Milliseconds. */
const KEEP_ALIVE_MS = { proxy: 72_000, client: 30_000 }
/** Another server that makes the ring gets this long. */
const RING_PATIENCE_MS = 10_000

/** So that no request soon after one for a mail is slower where there is somebody to send it to. Milliseconds. */
const MAIL_SPREAD = 1_000

/** Of a development's mails. */
const NOBODY: Sender = { name: 'Signet', address: 'signet@localhost.invalid' }

/** A Signet that runs: `stop` ends it, `look` looks at once at the files that it follows. */
export interface Running { app: FastifyInstance, stop: () => Promise<void>, look: () => Promise<void> }

/** Starts Signet, which will end as `farewell` says. Throws a sentence if it cannot start. */
export async function start (settings: Config, farewell = FAREWELL): Promise<Running> {
  const tls = settings.TLS_CERT_FILE ? await TlsFiles.open({ cert: settings.TLS_CERT_FILE, key: settings.TLS_KEY_FILE }) : undefined
  const place = await ringPlace(settings.KEYS_DIR, settings.KEYS_PASSPHRASE_FILE)
  const { ring, isNew } = await openRing(place, settings)
  const keyRing = new KeyRing(ring.parts, workersOf(settings) > 1 ? signAtOnce : signInPool)
  const isEmpty = hasNoFile(settings.DATABASE_URL)
  const opened = await storeOf(settings)
  const [metrics, withinTrace] = [await metricsOf(settings), await findTracing()]
  const { meter } = metrics ?? {}
  const store = metrics?.measured(opened) ?? opened
  const hasher = new Hasher({ cost: settings.BCRYPT_COST, threads: settings.HASH_THREADS, queue: settings.HASH_QUEUE, meter })
  const closeParts = async () => {
    await hasher.close()
    await store.close()
    await metrics?.close()
  }
  try {
    const url = await listenFor(metrics, settings)
    const connections = new Connections({ max: connectionsAllowed(settings.MAX_CONNECTIONS), keepAlive: KEEP_ALIVE_MS[settings.TRUST_PROXY ? 'proxy' : 'client'] })
    const told: { log?: FastifyBaseLogger } = {}
    const mail = await mailOf(settings, file => { told.log?.info({ file }, 'a mail was written into the outbox') })
    const { app, config } = await withAddress(settings, async config => await buildApp({ config, store, keyRing, hasher, connections, clock: Date.now, log: process.stdout, meter, withinTrace, mail, ...(tls && { tls }) }))
    told.log = app.log
    tellMail(app.log, config)
    tellPlaces(app.log, { folder: resolve(place.folder), isNew }, { file: fileOf(config.DATABASE_URL), isEmpty })
    if (url) app.log.info({ metrics: url }, `Metrics are at ${url}`)
    const database = unnamedDatabase(config.DATABASE_URL)
    if (database) app.log.warn({ database }, 'DATABASE_URL names no database, so that MongoDB\'s own default is used; add it to the URL, as in mongodb://host/signet')
    await listen(app, config)
    const watcher = new RingWatcher({ place, keyRing, ring, terms: keyTerms(config), clock: Date.now, uptime: () => performance.now(), log: ringLog(app) })
    // What was done while no server ran is kept, too; a node that keeps it already changes nothing.
    for (const event of historiesOf(ring.manifest).flatMap(keyEvents)) app.events.keep(event)
    watcher.start()
    meter?.watch('signet_key_age_seconds', () => watcher.ages(Date.now()))
    const tlsUse = useOfTls(connections, app.log)
    const stopFollowing = tls?.follow(tlsUse)
    const stop = async () => {
      await connections.end(farewell)
      await watcher.stop()
      await app.close()
      stopFollowing?.()
      await closeParts()
    }
    const look = async () => { await Promise.all([watcher.look(), tls?.look(tlsUse)]) }
    return { app, stop, look }
  } catch (error) {
    await closeParts()
    throw error
  }
}

type Metrics = ReturnType<typeof import('./metrics/open-metrics.js')['metricsOf']>

/** Who counts in this process; nothing of it is loaded where nobody wants to see it. */
async function metricsOf (settings: Config): Promise<Metrics | undefined> {
  if (settings.METRICS_PORT === '') return undefined
  const { metricsOf } = await import('./metrics/open-metrics.js')
  return metricsOf(metricsPlace(settings), isWorker() ? tellLeader : undefined)
}

async function listenFor (metrics: Metrics | undefined, settings: Config): Promise<string | undefined> {
  return await metrics?.open().catch((cause: unknown) => { throw cannotListen(metricsPlace(settings), cause) })
}

// What sends mails is loaded where some are sent alone. Templates that cannot be used, or what the settings name in vain, stop the start.
async function mailOf (settings: Config, told: (file: string) => void): Promise<Mail | undefined> {
  const { MAIL_FROM: from, MAIL_LANGUAGE: language, MAIL_TEMPLATES: folder, MAIL_URL: url } = settings
  if (!url && settings.NODE_ENV === 'production') return undefined
  const { readTemplates } = await import('./mail/templates.js')
  const templates = readTemplates(folder, language)
  const sender = readSender(from) ?? NOBODY
  if (url) return { templates, spread: MAIL_SPREAD, send: (await import('./mail/smtp.js')).smtpSender(url, sender) }
  return { templates, spread: MAIL_SPREAD, send: (await import('./mail/outbox.js')).outboxSender(outboxOf(settings), sender, { clock: Date.now, told }) }
}

/** The folder of the mails of a development: beside the file of users, where there is one. */
function outboxOf ({ DATABASE_URL: url }: Config): string {
  return join(dirname(fileOf(url) ?? resolve('data/users')), 'outbox')
}

function tellMail (log: FastifyBaseLogger, config: Config): void {
  const { MAIL_URL: url, NODE_ENV: environment } = config
  if (url) log.info({ mail_server: new URL(url).host }, `Mails are sent by ${new URL(url).host}`)
  else if (environment === 'production') log.info('No mails are sent, and there is no /forgot-password, /verify-email or /change-email: set MAIL_URL')
  else log.info({ outbox: outboxOf(config) }, `Mails are not sent, but files in ${outboxOf(config)}: set MAIL_URL`)
}

function hasNoFile (url: string): boolean {
  const file = fileOf(url)
  return file !== undefined && !existsSync(file)
}

/** Where the keys and the users are. What is missing is made, which in another folder than before is a second authority. */
function tellPlaces (log: FastifyBaseLogger, keys: { folder: string, isNew: boolean }, users: { file: string | undefined, isEmpty: boolean }): void {
  log.info({ keys: keys.folder, users: users.file }, `The keys are in ${keys.folder}, and the users in ${users.file ?? 'the MongoDB of DATABASE_URL'}`)
  const made = [keys.isNew && 'a key ring', users.isEmpty && 'an empty file of users'].filter(Boolean).join(' and ')
  if (made) log.warn(`Signet made ${made} there, for there was none. Where it has run before, it was started in another folder, or with other settings: KEYS_DIR, DATABASE_URL`)
}

async function storeOf ({ DATABASE_URL: url }: Config): Promise<Store> {
  try {
    return await openStore(url)
  } catch (cause) {
    throw new Error(`The setting DATABASE_URL cannot be used. ${(cause as Error).message}`, { cause })
  }
}

async function openRing (place: RingPlace, { NODE_ENV: environment }: Config): Promise<{ ring: ReadRing, isNew: boolean }> {
  const present = await readRing(place)
  if (present) return { ring: present, isNew: false }
  if (environment === 'production') throw new Error(`There is no key ring in ${place.folder}: make one with \`npm run keys:generate\`.`)
  const isNew = await createRing(place, { now: Date.now(), by: 'server' }, { milliseconds: RING_PATIENCE_MS })
  return { ring: (await readRing(place))!, isNew }
}

function ringLog ({ events, log }: FastifyInstance): RingLog {
  return {
    stepsSeen: (history, known) => { for (const event of keyEvents(history).slice(keyEvents(history.slice(0, known)).length)) events.recordKept(event) },
    adopted: active => { log.info(active, 'key ring changed; these keys are active') },
    refused: err => { log.error({ err }, 'the key ring on disk cannot be used; the one in use is kept') },
    stepsTaken: (kind, steps) => { log.info({ kind, steps }, 'key ring kept up') },
    upkeepFailed: err => { log.error({ err }, 'the key ring could not be kept up') },
    goesUnsealed: err => { log.warn({ err }, 'the key ring has no sealing secret and this server makes none, so that nobody can add an authenticator app: npm run keys:generate -- --sealing') },
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

/** Builds with the settings; where the issuer is the address, with that of a free port, which is kept from others meanwhile, for an application knows its issuer before it listens. */
async function withAddress (settings: Config, build: (config: Config) => Promise<FastifyInstance>): Promise<{ app: FastifyInstance, config: Config }> {
  if (settings.ISSUER !== '') return { app: await build(settings), config: settings }
  const holder = await hold(settings)
  try {
    const config = withPort(settings, (holder.address() as AddressInfo).port)
    return { app: await build(config), config }
  } finally {
    await once(holder.close(), 'close')
  }
}

/** Keeps the port of these settings from others, or a free one. */
async function hold (settings: Config): Promise<Server> {
  const holder = createServer().listen({ host: settings.HOST, port: settings.PORT })
  await once(holder, 'listening').catch((cause: unknown) => { throw cannotListen(mainPlace(settings), cause) })
  return holder
}

async function listen (app: FastifyInstance, config: Config): Promise<void> {
  const { HOST: host, PORT: port } = config
  const workers = workersOf(config)
  try {
    await app.listen({ host, port, listenTextResolver: address => `Signet listens on ${address}${workers > 1 ? ` (one of ${workers} workers)` : ''}` })
  } catch (cause) {
    await app.close()
    throw cannotListen(mainPlace(config), cause)
  }
}

/** Where to listen, and the settings that say so. */
interface Place { host: string, port: number, settings: { host: string, port: string } }

function mainPlace ({ HOST: host, PORT: port }: Config): Place {
  return { host, port, settings: { host: 'HOST', port: 'PORT' } }
}

function metricsPlace ({ METRICS_HOST: host, METRICS_PORT: port }: Config): Place {
  return { host, port: Number(port), settings: { host: 'METRICS_HOST', port: 'METRICS_PORT' } }
}

function cannotListen ({ host, port, settings }: Place, cause: unknown): Error {
  const sentences: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${host} is taken: stop what listens there, or set ${settings.port}.`,
    EACCES: `This user may not listen on port ${port}: set ${settings.port} to one from 1024 on.`,
    EADDRNOTAVAIL: `The setting ${settings.host} is not an address of this machine: ${host}.`,
    EAI_AGAIN: `The setting ${settings.host} is a name that cannot be looked up now: ${host}.`,
    ENOTFOUND: `The setting ${settings.host} is a name that is not found: ${host}.`,
  }
  return new Error(sentences[(cause as NodeJS.ErrnoException).code!] ?? `The setting ${settings.host} is not an address that Signet can listen on: ${host}.`, { cause })
}

function warn (sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}

/** Serves until it is asked to end, in a process of its own or as one of the workers. */
async function serve (settings: Config, farewell: Farewell): Promise<void> {
  const starting = start(settings, farewell)
  process.on('SIGHUP', () => { void starting.then(async ({ look }) => { await look() }) })
  const asked = askedToEnd()
  if (isWorker()) void whoWasReplaced().then(async ended => { (await starting).app.log.error({ ended }, 'this worker has the place of one that ended') })
  const { stop } = await starting
  await asked
  await stop()
}

/** Has workers serve until it is asked to end. Returns the exit code. */
async function lead (settings: Config): Promise<number> {
  const gathering = await gather(settings)
  // With none of their own, for each of them would find another.
  const port = settings.PORT || await freePort(settings)
  const workers = new Workers(workersOf(settings), { PORT: String(port), ...(gathering && { METRICS_PORT: String(gathering.port) }) })
  if (gathering) workers.hear(gathering.heard, gathering.lost)
  process.on('SIGHUP', () => { workers.look() })
  const asked = askedToEnd()
  const failed = await Promise.race([workers.start(), asked])
  if (failed !== undefined) return failed
  await asked
  await workers.stop(FAREWELL.linger)
  return 0
}

/** Tells what all workers count, where somebody wants to see it. */
async function gather (settings: Config) {
  if (settings.METRICS_PORT === '') return undefined
  const { gatherMetrics } = await import('./metrics/open-metrics.js')
  return await gatherMetrics(metricsPlace(settings)).catch((cause: unknown) => { throw cannotListen(metricsPlace(settings), cause) })
}

async function freePort (settings: Config): Promise<number> {
  const holder = await hold(settings)
  const { port } = holder.address() as AddressInfo
  await once(holder.close(), 'close')
  return port
}

/** A signal may come as soon as Signet is ready, or before. It comes twice where the terminal and npm both send it; the second must not cut short what the first began. */
async function askedToEnd (): Promise<undefined> {
  await new Promise<void>(resolve => { for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => { resolve() }) })
}

async function main (): Promise<number> {
  outliveReaders([process.stdout, process.stderr])
  const settings = readConfig(readEnvironment(warn))
  if (isWorker()) await serve(partOfWorker(settings), LED_FAREWELL)
  else if (workersOf(settings) > 1) return await lead(settings)
  else await serve(settings, FAREWELL)
  return 0
}

if (import.meta.url === pathToFileURL(String(process.argv[1])).href) {
  main().then(code => process.exit(code), (error: Error) => {
    warn(error.message)
    process.exit(1)
  })
}
