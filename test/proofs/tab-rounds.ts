// Tabs of one browser that all wake at once, again and again, behind a proxy that loses answers; holds no rule of the client's.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../certificates.js'
import { freePort } from '../free-port.js'
import type { Command } from '../program.js'
import { BROWSERS } from './drivers/browsers.js'
import type { BrowserName, Session, Tab } from './drivers/driver.js'
import { LiveSignet } from './live-signet.js'
import { LossyProxy, type Fate } from './lossy-proxy.js'

export interface TabReport { rounds: number, refreshes: number, mostAtOnce: number, met: Record<string, number>, lost: string[] }

interface Wish {
  rounds: number
  /** What starts Signet. */
  command: Command
  browser: BrowserName
  executablePath: string
  /** Without them tabs take turns by word of mouth. */
  webLocks: 'on' | 'off'
  /** The share of requests that the proxy drops, delays or doubles. */
  share: number
  seed: number
}

const TABS = 8
const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }
/** One tab in so many rounds is opened anew, with nothing but the cookie. */
const NEW_TAB_EVERY = 7
/** Tabs are told one by one to wake, which takes no longer than this, in milliseconds. */
const LEAD_MS = 400

// Runs in a tab. The clock that the client reads can be put forward, as it is for whoever slept.
const TAB = (webLocks: Wish['webLocks']) => `(async () => {
  if ('${webLocks}' === 'off') Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })
  let slept = 0
  const now = Date.now.bind(Date)
  Date.now = () => now() + slept
  const { createClient } = await import('/account/client.js')
  const client = createClient({ baseUrl: '/', timeout: 1000 })
  const changes = []
  client.onChange(change => { changes.push(change) })
  const ask = async () => {
    for (let tries = 0; tries < 30; tries++) {
      try {
        return (await client.fetch('/user-info', { signal: AbortSignal.timeout(3000) })).status
      } catch (error) {
        if (error.code === 'invalid_grant') return 'invalid_grant'
      }
    }
    return 'no answer'
  }
  window.tab = {
    // With the patience that clients have, for hashing may wait for its turn; no log-in is what is proved.
    async logIn (account) {
      const patient = createClient({ baseUrl: '/' })
      await patient.register(account)
      await patient.login(account)
      patient.close()
    },
    sleep (milliseconds) { slept = milliseconds },
    wakeAt (instant) { this.woken = this.wake(instant) },
    async wake (instant) {
      await new Promise(resolve => { setTimeout(resolve, instant - now()) })
      return { status: await ask(), ended: changes.filter(({ status }) => status === 'signed-out') }
    },
  }
})()`

/** Wakes every tab `rounds` times, after hours of sleep each time, and looks for whoever was logged out. */
export async function proveTabs (wish: Wish): Promise<TabReport> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-tabs-'))
  const port = await freePort()
  const { open, keepsCookieOverHttp } = BROWSERS[wish.browser]
  const proxy = await LossyProxy.open(`http://127.0.0.1:${port}`, mulberry32(wish.seed), keepsCookieOverHttp ? undefined : makeCertificate(folder))
  // What speaks HTTPS before Signet says so by its address.
  const signet = await LiveSignet.open(wish.command, { PORT: String(port), ISSUER: proxy.url })
  const driver = await open(wish.executablePath)
  const report: TabReport = { rounds: 0, refreshes: 0, mostAtOnce: 0, met: {}, lost: [] }
  try {
    const tabs = await openTabs(await driver.openSession(), proxy, wish)
    await tabs[0]!.evaluate(`tab.logIn(${JSON.stringify(ACCOUNT)})`)
    for (let round = 1; round <= wish.rounds && report.lost.length === 0; round++) await runRound(tabs, proxy, round, wish, report)
  } finally {
    await driver.close()
    proxy.close()
    await signet.close()
    await rm(folder, { recursive: true })
  }
  return { ...report, refreshes: proxy.refreshes, mostAtOnce: proxy.mostAtOnce, met: Object.fromEntries(proxy.met) as Record<Fate, number> }
}

async function openTabs (session: Session, { url }: LossyProxy, { webLocks }: Wish): Promise<Tab[]> {
  return await Promise.all(Array.from({ length: TABS }, async () => {
    const tab = await session.openTab()
    await load(tab, url, webLocks)
    return tab
  }))
}

async function load (tab: Tab, url: string, webLocks: Wish['webLocks']): Promise<void> {
  await tab.goTo(`${url}/health/live`)
  await tab.evaluate(TAB(webLocks))
}

async function runRound (tabs: Tab[], proxy: LossyProxy, round: number, { share, webLocks }: Wish, report: TabReport): Promise<void> {
  proxy.share = 0
  if (round % NEW_TAB_EVERY === 0) await load(tabs[round % TABS]!, proxy.url, webLocks)
  await Promise.all(tabs.map(async tab => { await tab.evaluate(`tab.sleep(${round * 3_600_000})`) }))
  proxy.share = share
  const instant = Date.now() + LEAD_MS
  await Promise.all(tabs.map(async tab => { await tab.evaluate(`tab.wakeAt(${instant})`) }))
  const woken = await Promise.all(tabs.map(async tab => await tab.evaluate<{ status: unknown, ended: object[] }>('tab.woken')))
  woken.forEach(({ status, ended }, at) => {
    if (status !== 200 || ended.length > 0) report.lost.push(`round ${round}: tab ${at} was answered ${String(status)}, and its session ended ${ended.length} times`)
  })
  report.rounds = round
  await proxy.untilQuiet()
}

/** Numbers that a seed repeats. */
function mulberry32 (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
