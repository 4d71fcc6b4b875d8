// Firefox by WebDriver BiDi, the W3C's protocol, which it speaks by itself; holds no test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'
import { toJson, type Driver, type Session, type Tab } from './driver.js'

/** Shows JSON as what it is, not in a viewer whose policy forbids all else; and asks nobody but the server under test. */
const SETTINGS = ['devtools.jsonview.enabled', 'network.captive-portal-service.enabled', 'network.connectivity-service.enabled', 'app.normandy.enabled']

/** Starts the browser at `executablePath`, with a profile of its own. */
export async function openFirefox (executablePath: string): Promise<Driver> {
  const profile = await mkdtemp(join(tmpdir(), 'signet-firefox-'))
  await writeFile(join(profile, 'user.js'), SETTINGS.map(name => `user_pref("${name}", false);\n`).join(''))
  const child = spawn(executablePath, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'], { env: { PATH: process.env['PATH'], HOME: profile }, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'close')
  const address = await Promise.race([findAddress(createInterface({ input: child.stderr })), ended.then(() => undefined)])
  if (!address) throw new Error(`${executablePath} ended before it listened.`)
  const connection = await Connection.open(`${address}/session`)
  await connection.send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } })
  const close = async () => {
    await connection.send('browser.close')
    await ended
    connection.close()
    await rm(profile, { recursive: true })
  }
  return { openSession: async () => await openSession(connection), close }
}

async function findAddress (lines: ReturnType<typeof createInterface>): Promise<string> {
  return await new Promise(resolve => {
    lines.on('line', line => {
      const [, address] = /WebDriver BiDi listening on (ws:\S+)/.exec(line) ?? []
      if (address) resolve(address)
    })
  })
}

async function openSession (connection: Connection): Promise<Session> {
  const { userContext } = await connection.send<{ userContext: string }>('browser.createUserContext')
  const openTab = async () => {
    // A window of its own, for the clocks of a tab behind another are slowed down.
    const { context } = await connection.send<{ context: string }>('browsingContext.create', { type: 'window', userContext })
    return tabOf(connection, context)
  }
  return { openTab, close: async () => { await connection.send('browser.removeUserContext', { userContext }) } }
}

function tabOf (connection: Connection, context: string): Tab {
  const send = async (method: string, params: object) => { await connection.send(method, { context, ...params }) }
  const run = async (expression: string) => await evaluate(connection, context, expression)
  const perform = async (type: 'key' | 'pointer', actions: object[]) => { await send('input.performActions', { actions: [{ type, id: type, actions }] }) }
  return {
    goTo: async url => { await send('browsingContext.navigate', { url, wait: 'complete' }) },
    back: async () => { await send('browsingContext.traverseHistory', { delta: -1 }) },
    fill: async (selector, text) => {
      await run(`{ const field = ${find(selector)}; field.focus(); field.select() }`)
      await perform('key', [...text].flatMap(value => [{ type: 'keyDown', value }, { type: 'keyUp', value }]))
    },
    click: async selector => {
      const { sharedId } = await run(`{ const target = ${find(selector)}; target.scrollIntoView({ block: 'center' }); target }`)
      await perform('pointer', [{ type: 'pointerMove', x: 0, y: 0, origin: { type: 'element', element: { sharedId } } }, { type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }])
    },
    evaluate: async expression => JSON.parse(String((await run(toJson(expression))).value)),
    close: async () => { await send('browsingContext.close', {}) },
  }
}

function find (selector: string): string {
  return `document.querySelector(${JSON.stringify(selector)})`
}

async function evaluate (connection: Connection, context: string, expression: string): Promise<{ value?: unknown, sharedId?: string }> {
  const answer = await connection.send<{ type: 'success' | 'exception', result: object, exceptionDetails?: { text: string } }>('script.evaluate', { expression, target: { context }, awaitPromise: true })
  if (answer.type === 'exception') throw new Error(answer.exceptionDetails?.text)
  return answer.result
}

interface Reply { id: number, type: string, result: unknown, error: string, message: string }

/** Commands, and the answer to each. */
class Connection {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #last = 0

  private constructor (socket: WebSocket) {
    this.#socket = socket
    socket.on('message', data => {
      const reply = JSON.parse(String(data)) as Reply
      this.#waiting.get(reply.id)?.(reply)
      this.#waiting.delete(reply.id)
    })
  }

  static async open (url: string): Promise<Connection> {
    const socket = new WebSocket(url)
    await once(socket, 'open')
    return new Connection(socket)
  }

  async send<T> (method: string, params: object = {}): Promise<T> {
    const id = ++this.#last
    const reply = await new Promise<Reply>(resolve => {
      this.#waiting.set(id, resolve)
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
    if (reply.type === 'error') throw new Error(`${method}: ${reply.error}: ${reply.message}`)
    return reply.result as T
  }

  close (): void {
    this.#socket.close()
  }
}
