// WebKitGTK by WebDriver, the W3C's protocol over HTTP, on a screen that nobody sees; holds no test.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../free-port.js'
import { toJson, type Driver, type Session, type Tab } from './driver.js'

/** The name under which the protocol hands out an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'

/** A driver that says nothing for so long has lost its browser. */
const PATIENCE_MS = 60_000

type Command = <T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<T>

/** Starts the driver at `executablePath`, which starts its browser, and a screen for it. */
export async function openWebKit (executablePath: string): Promise<Driver> {
  const home = await mkdtemp(join(tmpdir(), 'signet-webkit-'))
  const { screen, display } = await openScreen()
  const env = { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: home, DISPLAY: display, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1', GSETTINGS_BACKEND: 'memory', LIBGL_ALWAYS_SOFTWARE: '1' }
  let { child, command } = await startDriver(executablePath, env)
  const open = async (): Promise<Session> => await openSession(command).catch(async (error: Error) => {
    if (error.name !== 'TimeoutError') throw error
    // On a busy machine its browser sometimes never starts; it goes with the driver.
    await stop(child)
    ;({ child, command } = await startDriver(executablePath, env))
    return await openSession(command)
  })
  const close = async () => {
    for (const each of [child, screen]) await stop(each)
    await rm(home, { recursive: true })
  }
  return { openSession: open, close }
}

async function startDriver (executablePath: string, env: NodeJS.ProcessEnv): Promise<{ child: ChildProcess, command: Command }> {
  const port = await freePort()
  const child = spawn(executablePath, ['--host=127.0.0.1', `--port=${port}`], { env, stdio: 'ignore' })
  const command: Command = async (method, path, body) => await ask(`http://127.0.0.1:${port}${path}`, method, body)
  while (!await command('GET', '/status').then(() => true, () => false)) await pause(50)
  return { child, command }
}

async function openScreen () {
  const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const [number] = await once(screen.stdio[3]!, 'data') as [Buffer]
  return { screen, display: `:${String(number).trim()}` }
}

async function stop (child: ChildProcess): Promise<void> {
  const ended = once(child, 'close')
  child.kill()
  await ended
}

async function ask<T> (url: string, method: string, body?: object): Promise<T> {
  const response = await fetch(url, { method, body: body ? JSON.stringify(body) : null, signal: AbortSignal.timeout(PATIENCE_MS) })
  const { value } = await response.json() as { value: T & { error?: string, message?: string } }
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`)
  return value
}

async function openSession (command: Command): Promise<Session> {
  const { sessionId } = await command<{ sessionId: string }>('POST', '/session', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } })
  const within: Command = async (method, path, body) => await command(method, `/session/${sessionId}${path}`, body)
  const inTurn = queue()
  const openTab = async () => {
    const { handle } = await inTurn(async () => await within<{ handle: string }>('POST', '/window/new', { type: 'window' }))
    // The protocol looks at one window at a time.
    return tabOf(async (method, path, body) => await inTurn(async () => {
      await within('POST', '/window', { handle })
      return await within(method, path, body)
    }))
  }
  return { openTab, close: async () => { await within('DELETE', '') } }
}

/** Does one thing after another. */
function queue () {
  let last: Promise<unknown> = Promise.resolve()
  return async <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return await turn
  }
}

function tabOf (command: Command): Tab {
  const find = async (selector: string) => (await command<Record<string, string>>('POST', '/element', { using: 'css selector', value: selector }))[ELEMENT]!
  const act = async (selector: string, action: string, body = {}) => { await command('POST', `/element/${await find(selector)}/${action}`, body) }
  return {
    goTo: async url => { await command('POST', '/url', { url }) },
    back: async () => { await command('POST', '/back', {}) },
    fill: async (selector, text) => {
      await act(selector, 'clear')
      await act(selector, 'value', { text })
    },
    click: async selector => { await act(selector, 'click') },
    evaluate: async expression => await evaluate(command, expression),
    close: async () => { await command('DELETE', '/window') },
  }
}

async function evaluate<T> (command: Command, expression: string): Promise<T> {
  const script = `const done = arguments[0]; (async () => await ${toJson(expression)})().then(value => done({ value }), error => done({ error: String(error) }))`
  const { value, error } = await command<{ value?: string, error?: string }>('POST', '/execute/async', { script, args: [] })
  if (value === undefined) throw new Error(error)
  return JSON.parse(value)
}
