// The process: settings, store, key ring, application, listening, and a graceful end; holds no rule.
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.js'
import { readConfig, readEnvironment, type Config } from './config.js'
import { Hasher } from './hashing/hasher.js'
import { loadRing, type KeyRing } from './keyring/key-ring.js'
import { createRing } from './keyring/ring-files.js'
import { openStore } from './store/open-store.js'

/** Requests in flight get this long to finish, in milliseconds. */
const DRAIN_MS = 8_000

/** Starts Signet and returns what stops it again, within `drainMs` milliseconds. Throws a sentence if it cannot start. */
export async function start (config: Config, { drainMs } = { drainMs: DRAIN_MS }): Promise<{ app: FastifyInstance, stop: () => Promise<void> }> {
  const tls = await readTls(config)
  const { keyRing, isNew } = await openRing(config)
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
    return { app, stop: async () => { await drain(app, drainMs); await closeParts() } }
  } catch (error) {
    await closeParts()
    throw error
  }
}

async function openRing ({ KEYS_DIR: folder, NODE_ENV: environment }: Config): Promise<{ keyRing: KeyRing, isNew: boolean }> {
  const present = await loadRing(folder)
  if (present) return { keyRing: present, isNew: false }
  if (environment === 'production') throw new Error(`There is no key ring in ${folder}: make one with \`npm run keys:generate\`.`)
  const isNew = await createRing(folder, Date.now())
  return { keyRing: (await loadRing(folder))!, isNew }
}

async function readTls ({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }: Config): Promise<{ cert: Buffer, key: Buffer } | undefined> {
  if (!cert) return undefined
  const read = async (name: string, path: string) => await readFile(path).catch((cause: Error) => { throw new Error(`The setting ${name} names a file that cannot be read: ${cause.message}.`, { cause }) })
  return { cert: await read('TLS_CERT_FILE', cert), key: await read('TLS_KEY_FILE', key) }
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
