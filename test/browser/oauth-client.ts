// A client of the tests' own with a server on another site than Signet's, which sends people there and redeems what they bring back; holds no test.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { makeSecret, type Client } from '../../src/core/client.js'
import { openStore } from '../../src/store/open-store.js'

/** What a person brought back, and with which Referer. */
export interface Return { query: Record<string, string>, referer: string | undefined }

/** What the token endpoint answered. */
export interface Tokens { access_token: string, id_token?: string, refresh_token?: string, scope: string, error?: string }

/** The client as it is registered and as it runs; `returns` are those to its redirect URI, `tokens` what it got for their codes. */
export interface ClientServer { client: Client, url: string, pages: Map<string, string>, returns: Return[], tokens: Tokens[], start: (parameters?: Record<string, string>) => string, refresh: (at: number) => Promise<number> }

const html = (title: string, body = '') => `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}</html>`

/** Starts one and registers it in the store of a server. `localhost` is another site than 127.0.0.1. */
export async function startClient (t: Test, signet: string, databaseUrl: string, differences: Partial<Client> = {}): Promise<ClientServer> {
  const { secret, kept } = makeSecret(Date.now())
  const verifier = randomBytes(32).toString('base64url')
  const server = createServer((request, response) => { void answer(request, response) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  const client: Client = {
    id: randomUUID(), version: 1, name: 'Reading list', redirectUris: [`${url}/callback`], grantTypes: ['authorization_code', 'refresh_token'], authMethod: 'client_secret_basic', secrets: [kept],
    scopes: ['lists:write'], audiences: [], postLogoutRedirectUris: [`${url}/bye`], isOurs: false, requiresPkce: true, createdAt: Date.now(), ...differences,
  }
  const store = await openStore(databaseUrl)
  await store.insertClient(client)
  await store.close()
  const pages = new Map<string, string>()
  const [returns, tokens]: [Return[], Tokens[]] = [[], []]

  /** An address of the client's own that leads to Signet, as a link of its page would. */
  const start = (parameters: Record<string, string> = {}) => `${url}/start?${new URLSearchParams(parameters).toString()}`

  async function answer (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search, searchParams } = new URL(request.url!, url)
    const send = (body: string, status = 200) => { response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'referrer-policy': 'unsafe-url' }).end(body) }
    if (pathname === '/start') {
      const asked = new URLSearchParams({
        response_type: 'code', client_id: client.id, redirect_uri: client.redirectUris[0]!, scope: 'openid email', state: 'a-state',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...Object.fromEntries(searchParams),
      })
      response.writeHead(303, { location: `${signet}/authorize?${asked.toString()}` }).end()
    } else if (pathname === '/callback') {
      returns.push({ query: Object.fromEntries(searchParams), referer: request.headers.referer })
      if (searchParams.has('code')) tokens.push(await redeem(searchParams.get('code')!))
      const opened = `<script>if (opener) { opener.postMessage(${JSON.stringify(search).replaceAll('<', '\\u003c')}, '*'); close() }</script>`
      send(html(searchParams.has('code') ? 'Welcome back' : `Refused: ${searchParams.get('error')!}`, opened))
    } else if (pages.has(pathname)) send(pages.get(pathname)!)
    else if (pathname === '/bye') send(html('See you'))
    else if (pathname === '/') send(html('Reading list', `<a href="${start()}">Log in with Signet</a>`))
    else send(html('Nothing here'), 404)
  }

  const ask = async (body: Record<string, string>) => await fetch(`${signet}/token`, { method: 'POST', headers: { authorization: `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}` }, body: new URLSearchParams(body) })

  const redeem = async (code: string) => await (await ask({ grant_type: 'authorization_code', code, redirect_uri: client.redirectUris[0]!, code_verifier: verifier })).json() as Tokens

  /** The status of a refresh with the refresh token that it got so many codes after the first. */
  const refresh = async (at: number) => (await ask({ grant_type: 'refresh_token', refresh_token: tokens[at]!.refresh_token! })).status

  return { client, url, pages, returns, tokens, start, refresh }
}
