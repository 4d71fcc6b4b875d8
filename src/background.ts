// What an application does unasked: it follows what is closed, forgets who was deleted, and looks after its parts; composes nothing, and holds no rule.
import type { RequestListener } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { closingRetention, eventRetention, familyLimits, type Config } from './config.js'
import { describeEvent, levelOf, type KeptEvent } from './core/events.js'
import type { LetterKind, SendLetter, Template } from './core/letters.js'
import { toOcsf } from './core/ocsf.js'
import type { Meter } from './core/metrics.js'
import { redactTokens } from './core/redaction.js'
import type { Hasher } from './hashing/hasher.js'
import type { Connections } from './http/edge/connections.js'
import { timed } from './http/edge/request-times.js'
import type { TlsFiles } from './http/edge/tls-files.js'
import { Readiness } from './http/public/health.js'
import type { KeyRing } from './keyring/key-ring.js'
import { hasLines, type LogSink } from './log.js'
import { Events } from './services/events.js'
import { MailQueue } from './services/mail-queue.js'
import { StatusLists } from './services/status-lists.js'
import type { StatusPlaces } from './services/status-places.js'
import type { Store } from './store/store.js'
import type { WithinTrace } from './tracing.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where what happens beside the application is recorded. */
    events: Events
  }
}

export interface AppParts {
  config: Config
  store: Store
  keyRing: KeyRing
  hasher: Hasher
  /** Milliseconds since the epoch. */
  clock: () => number
  log: LogSink
  connections: Connections
  /** What to speak HTTPS with. */
  tls?: TlsFiles
  /** Who counts, where somebody does. */
  meter?: Meter | undefined
  withinTrace?: WithinTrace | undefined
  /** How mails are sent, and what they say; without it none are, and what needs one is not served. */
  mail?: Mail | undefined
}

export interface Mail { send: SendLetter, templates: Record<LetterKind, Template>, spread?: number }

/** The fault itself names files, so it is in the log alone. */
const OLD_RING = 'The key ring on disk cannot be used, and the one before it is kept; the log says why.'
const OLD_CERTIFICATE = 'The TLS files cannot be used, and the certificate before them is kept; the log says why.'
const NO_MAIL = 'Mails cannot be sent, and are tried again; the log says why.'
const ASK_EVERY_MS = 1_000
const FORGET_EVERY_MS = 3_600_000

/** What is put around everything that serves a request: who times it, and who hands its trace on; nothing where nobody does. */
export function aroundAll ({ connections, meter, withinTrace = serve => serve }: AppParts): (serve: RequestListener) => RequestListener {
  meter?.watch('signet_connections', () => [[[], connections.count]])
  return serve => meter ? timed(withinTrace(serve), meter) : withinTrace(serve)
}

/** The events, which are kept and dropped while the application runs; what waits when it closes is written then. `version` is Signet's own. */
export function keepEvents (app: FastifyInstance, { clock, config, log, meter, store }: AppParts, version: string): Events {
  const events = new Events({
    store, clock, meter, retention: eventRetention(config),
    tell: config.EVENTS_FORMAT === 'ocsf' ? event => { if (hasLines(config.LOG_LEVEL, levelOf(event.kind))) log.write(redactTokens(`${JSON.stringify(toOcsf(event, version))}\n`)) } : event => { tell(app, event) },
    lost: (count, err) => { app.log.error({ count, err }, 'security events were not kept, for the store is away, or too slow for so many: they are in the log alone') },
  })
  app.decorate('events', events)
  app.addHook('onReady', done => {
    events.start()
    done()
  })
  app.addHook('onClose', async () => { await events.stop() })
  return events
}

function tell (app: FastifyInstance, event: KeptEvent): void {
  app.log[levelOf(event.kind)](describeEvent(event), 'security event')
}

/** The mails, which are sent while the application runs; what waits when it closes is tried once more. `accountPage` is where their links lead. */
export function sendMails (app: FastifyInstance, { clock, config, meter }: AppParts, mail: Mail, accountPage: string): MailQueue {
  const mails = new MailQueue({
    ...mail, clock, meter, record: event => { app.events.record(event) }, always: { issuer: new URL(config.ISSUER).host, account: accountPage },
    report: err => { if (err) app.log.error({ err }, 'mails cannot be sent'); else app.log.info('mails can be sent again') },
    refused: err => { app.log.warn({ err }, 'a mail was refused') },
  })
  app.addHook('onClose', async () => { await mails.stop() })
  return mails
}

/** The status lists, which are kept up from when the application is ready until it closes. */
export function followClosings (app: FastifyInstance, { clock, config, keyRing, meter, store }: AppParts, places: StatusPlaces): StatusLists {
  const lists = new StatusLists({
    store, places, keyRing, meter, issuer: config.ISSUER, ttl: config.STATUS_LIST_TTL, closingRetention: closingRetention(config), familyLife: familyLimits(config).absolute, clock, uptime: () => performance.now(),
    report: err => { if (err) app.log.error({ err }, 'the status lists cannot be brought up to date'); else app.log.info('the status lists are up to date again') },
  })
  app.addHook('onReady', done => {
    lists.start()
    // Ahead of the first log-in, which does it where this fails.
    places.lookThrough(clock()).catch(() => {})
    done()
  })
  app.addHook('onClose', async () => { await lists.stop() })
  return lists
}

/** Forgets those who were deleted once nothing that was closed with them counts any more, and at once what a server that was killed left of them: when the application listens, and every hour from then on. */
export function forgetDeleted (app: FastifyInstance, { clock, config, store }: AppParts): void {
  // What fails is done an hour later.
  const forget = () => { void Promise.allSettled([store.dropDeleted(clock() - closingRetention(config))]) }
  app.addHook('onListen', done => {
    const forgetting = setInterval(forget, FORGET_EVERY_MS)
    app.server.once('close', () => { clearInterval(forgetting) })
    forget()
    done()
  })
}

/** Looks after the parts while the application listens, and tells the log what it sees. */
export function watchOver (app: FastifyInstance, { clock, config, connections, keyRing, store, tls }: AppParts, mails: MailQueue | undefined): Readiness {
  const worry = () => [keyRing.fault && OLD_RING, tls?.fault && OLD_CERTIFICATE, mails?.isFailing && NO_MAIL].filter(Boolean).join(' ') || undefined
  const readiness = new Readiness([
    async () => { await store.ping() },
    async now => { await keyRing.assertServes(now) },
  ], worry, faults => {
    for (const err of faults) app.log.error({ err }, 'not ready')
    app.log.info({ ready: faults.length === 0 }, faults.length === 0 ? readyText(app, config) : 'Signet is not ready')
  })
  app.addHook('onListen', done => {
    const stopWatching = connections.watch(count => { app.log.warn({ count }, 'connections closed, for more are open than may be: see MAX_CONNECTIONS') })
    // Asked unasked, so that the log says what a start lacks, and when it lacks that no more.
    const ask = async () => { if ((await readiness.check(clock())).status !== 'unavailable') clearInterval(asking) }
    const asking = setInterval(() => { void ask() }, ASK_EVERY_MS)
    void ask()
    app.server.once('close', () => {
      clearInterval(asking)
      stopWatching()
    })
    done()
  })
  return readiness
}

function readyText (app: FastifyInstance, { ACCOUNT_PAGE: page, DOCS: docs, ISSUER: issuer }: Config): string {
  const origin = app.server.listening ? app.listeningOrigin : issuer
  return `Signet is ready: ${origin}${docs === 'true' ? '/docs' : ''}${page ? `, for people: ${origin}/account` : ''}, issuer: ${issuer}`
}
