// The person before the browser, for clients that have none: walks through the pages as a browser does, logs in and decides; holds no client and no verdict.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Account } from '../live-signet.js'

/** What a person says who is asked whether a client may be let in. */
export type Decision = 'allow' | 'deny'

interface Page { status: number, html: string, url: string }

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }
/** More pages than these are a loop. */
const MAX_PAGES = 10

export class Person {
  readonly #signet: string
  readonly #account: Account
  readonly #cookies = new Map<string, string>()
  #logIns = 0

  /** Nobody is logged in at first. */
  constructor (signet: string, account: Account) {
    this.#signet = signet
    this.#account = account
  }

  /** How often the password was asked for. */
  get logIns (): number {
    return this.#logIns
  }

  /** Goes where a client sends the browser, by a link or by a form. The address at which Signet sends it back. Throws the heading of the page on which it is sent nowhere. */
  async visit (address: string, decision: Decision = 'allow', form?: URLSearchParams): Promise<string> {
    // The first request comes from the client's site: a browser keeps a SameSite=Strict cookie back.
    let next = await this.#open(address, 'cross-site', form)
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      if (typeof next === 'string') return next
      next = await this.#answer(next, decision)
    }
    throw new Error(`one page came after another: ${JSON.stringify(next)}`)
  }

  async #open (address: string, site: 'cross-site' | 'same-origin', form?: URLSearchParams): Promise<string | Page> {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', ...(site === 'same-origin' && this.#cookie()) }
    const response = await fetch(address, { headers, redirect: 'manual', ...(form && { method: 'POST', body: form }) })
    this.#keep(response)
    const location = response.headers.get('location')
    if (location === null) return { status: response.status, html: await response.text(), url: address }
    const target = new URL(location, address).href
    return target.startsWith(`${this.#signet}/`) ? await this.#open(target, site) : location
  }

  async #answer ({ html, url, status }: Page, decision: Decision): Promise<string | Page> {
    const read = (pattern: RegExp) => pattern.exec(html)?.[1]?.replace(/&\w+;|&#39;/g, entity => ENTITIES[entity] ?? entity)
    const goOn = read(/http-equiv="refresh" content="0; url=([^"]+)"/)
    if (goOn) return await this.#open(new URL(goOn, url).href, 'same-origin')
    const afterLogIn = read(/data-address="([^"]+)"/)
    const sealed = read(/name="decision" value="([^"]+)"/)
    if ((afterLogIn ?? sealed) && decision === 'deny') return read(/<a [^>]*href="([^"]*[?&]error=access_denied[^"]*)"/)!
    if (afterLogIn) {
      await this.#logIn()
      return await this.#open(new URL(afterLogIn, url).href, 'same-origin')
    }
    if (sealed) return await this.#decide(new URL(read(/data-action="([^"]+)"/)!, url).href, sealed)
    throw new Error(`${status} ${read(/<h1[^>]*>([^<]*)</) ?? html}`)
  }

  async #logIn (): Promise<void> {
    const response = await this.#post(`${this.#signet}/login`, 'application/json', JSON.stringify({ ...this.#account, refresh_token_in: 'cookie' }))
    if (!response.ok) throw new Error(await response.text())
    this.#logIns++
  }

  async #decide (address: string, sealed: string): Promise<string | Page> {
    const response = await this.#post(address, 'application/x-www-form-urlencoded', new URLSearchParams({ decision: sealed }).toString())
    const { location, error_description: error } = await response.json() as { location?: string, error_description?: string }
    if (location === undefined) throw new Error(error)
    return URL.canParse(location) ? location : await this.#open(new URL(location, address).href, 'same-origin')
  }

  async #post (address: string, type: string, body: string): Promise<Response> {
    const headers = { 'content-type': type, origin: this.#signet, 'sec-fetch-site': 'same-origin', ...this.#cookie() }
    const response = await fetch(address, { method: 'POST', headers, body })
    this.#keep(response)
    return response
  }

  #keep (response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (/max-age=0/i.test(line)) this.#cookies.delete(name!)
      else this.#cookies.set(name!, value!)
    }
  }

  #cookie (): { cookie: string } | undefined {
    return this.#cookies.size > 0 ? { cookie: [...this.#cookies].map(pair => pair.join('=')).join('; ') } : undefined
  }
}

/** A person whom programs of any language can ask: POST an address as text, with `?decision=deny` to be refused, and the answer is where the browser ends; 409 with the heading where that is a page of Signet's. */
export async function openPerson (person: Person): Promise<{ url: string, close: () => void }> {
  const server = createServer(async (request, response) => {
    const decision = new URL(request.url!, 'http://person').searchParams.get('decision') === 'deny' ? 'deny' : 'allow'
    const [status, text] = await person.visit(await textOf(request), decision).then(location => [200, location] as const, (error: Error) => [409, error.message] as const)
    response.writeHead(status, { 'content-type': 'text/plain' }).end(text)
  })
  return { url: await listen(server), close: () => { server.close() } }
}

async function textOf (request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

async function listen (server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}
