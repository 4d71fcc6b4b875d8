// What a browser gives the client and Node does not: a cookie jar, an Origin, Web Locks, and a network that fails on demand; holds no assertion.
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { createClient, type Change, type Client } from '../../src/client/client.js'
import { start } from '../../src/server.js'
import { AT_ONCE, settings } from '../server-process.js'

export const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada' }

// The key ring is made once for all tests of a file.
const keys = mkdtempSync(join(tmpdir(), 'signet-keys-'))
t.teardown(() => { rmSync(keys, { recursive: true }) })

/** What becomes of a request: it is forwarded by `forward`, or not. */
export type Fault = (forward: () => Promise<Response>) => Promise<Response>

export interface Tab extends Client { changes: Change[] }

/** One browser in front of a Signet of its own; with Web Locks unless `locks` is undefined. */
export async function openBrowser (t: Test, { env = {}, locks = new Locks() }: { env?: Record<string, string>, locks?: Locks | undefined | null } = {}) {
  const { app, stop } = await start(readConfig(settings(t, { KEYS_DIR: join(keys, 'ring'), ...env })), AT_ONCE)
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const browser = { url, app, jar: new Map<string, string>(), sent: [] as Request[], faults: [] as Fault[], clock: 0 }
  const [send, now] = [globalThis.fetch, Date.now]
  const names = ['fetch', 'navigator'] as const
  const before = names.map(name => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  define('fetch', async (input: RequestInfo, init?: RequestInit) => await pass(browser, new Request(input, init), send))
  define('navigator', { locks })
  t.intercept(Date, 'now', { value: () => now() + browser.clock })
  const tabs: Tab[] = []
  t.teardown(async () => {
    for (const tab of tabs) tab.close()
    for (const [name, descriptor] of before) Object.defineProperty(globalThis, name, descriptor ?? { value: undefined, configurable: true })
    await stop()
  })
  const openTab = (options: Partial<Parameters<typeof createClient>[0]> = {}): Tab => {
    const client = createClient({ baseUrl: url, ...options })
    const changes: Change[] = []
    client.onChange(change => { changes.push(change) })
    tabs.push(Object.assign(client, { changes }))
    return tabs.at(-1)!
  }
  const openSession = async (): Promise<Tab> => {
    const tab = openTab()
    await tab.register(ACCOUNT)
    await tab.login(ACCOUNT)
    browser.sent.length = 0
    return tab
  }
  return Object.assign(browser, { openTab, openSession })
}

function define (name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}

interface Network { url: string, jar: Map<string, string>, sent: Request[], faults: Fault[] }

async function pass ({ url, jar, sent, faults }: Network, request: Request, send: typeof fetch): Promise<Response> {
  sent.push(request.clone())
  const { signal } = request
  const forward = async () => {
    const headers = new Headers(request.headers)
    headers.set('origin', url)
    if (request.credentials === 'include' && jar.size > 0) headers.set('cookie', [...jar].map(pair => pair.join('=')).join('; '))
    const response = await send(request.url, { method: request.method, headers, signal, body: request.body ? await request.clone().text() : null })
    for (const cookie of response.headers.getSetCookie()) keep(jar, cookie)
    return response
  }
  return await (faults.shift()?.(forward) ?? forward())
}

function keep (jar: Map<string, string>, cookie: string): void {
  const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!
  if (/max-age=0;/i.test(cookie)) jar.delete(name!)
  else jar.set(name!, value!)
}

/** Web Locks of one browser, for one name. */
export class Locks {
  #last: Promise<unknown> = Promise.resolve()
  #held = 0

  async request (_name: string, ...rest: unknown[]): Promise<unknown> {
    const work = rest.at(-1) as (lock: object | null) => Promise<unknown>
    if (rest.length > 1 && this.#held > 0) return await work(null)
    this.#held++
    const turn = this.#last.then(async () => await work({})).finally(() => { this.#held-- })
    this.#last = turn.catch(() => {})
    return await turn
  }
}

export const lose: Fault = async () => { throw new TypeError('fetch failed') }

export const loseAnswer: Fault = async forward => {
  await forward()
  throw new TypeError('fetch failed')
}

/** Answers in Signet's place. */
export function answer (status: number, body: unknown, headers: Record<string, string> = {}): Fault {
  return async () => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
}
