// The doors of OAuth against Signet's own routes, a bare signature and node-oidc-provider, per CPU second of the server; holds no server.
import { fork } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeSecret, type Client } from '../src/core/client.js'
import { openStore } from '../src/store/open-store.js'
import { CONNECTIONS, login, many, open, PASSWORD, ratio, refreshers, row, type Peer } from './peers.js'

interface Tokens { access_token: string, refresh_token: string }
type Form = (path: string, parameters: Record<string, string>, headers?: Record<string, string>) => Promise<unknown>

const CALLBACK = 'http://127.0.0.1:9/callback'
/** What bench/oidc-provider.js has. */
const THEIR_SECRET = 'the secret of a service'
const COST = 4

function formOf (url: string): Form {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  return async (path, parameters, headers = {}) => await new Promise((resolve, reject) => {
    const body = String(new URLSearchParams(parameters))
    request(url + path, { agent, method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body), ...headers } }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => { text += String(chunk) }).on('end', () => {
        if (response.statusCode! < 300) resolve(JSON.parse(text))
        else reject(new Error(`${path} answered ${response.statusCode}: ${text}`))
      })
    }).on('error', reject).end(body)
  })
}

function record (more: Partial<Client>): Client {
  return {
    id: randomUUID(), version: 1, name: 'bench', redirectUris: [CALLBACK], grantTypes: ['authorization_code', 'refresh_token'], authMethod: 'none', secrets: [], scopes: ['read'], audiences: ['https://api.example'],
    postLogoutRedirectUris: [], isOurs: true, requiresPkce: true, createdAt: Date.now(), ...more,
  }
}

/** The first refresh token of a user who is logged in: a client of ours is asked for no consent. */
async function refreshToken (url: string, form: Form, { id }: Client, email: string): Promise<string> {
  const json = { 'content-type': 'application/json', origin: url }
  await fetch(`${url}/register`, { method: 'POST', headers: json, body: JSON.stringify({ email, password: PASSWORD }) })
  const loggedIn = await fetch(`${url}/login`, { method: 'POST', headers: json, body: JSON.stringify({ email, password: PASSWORD, refresh_token_in: 'cookie' }) })
  const cookie = loggedIn.headers.get('set-cookie')!.split(';')[0]!
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({ response_type: 'code', client_id: id, redirect_uri: CALLBACK, scope: 'offline_access read', code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' })
  const answer = await fetch(`${url}/authorize?${query}`, { redirect: 'manual', headers: { cookie, 'sec-fetch-site': 'same-origin' } })
  const code = new URL(answer.headers.get('location')!).searchParams.get('code')!
  return (await form('/token', { grant_type: 'authorization_code', client_id: id, redirect_uri: CALLBACK, code, code_verifier: verifier }) as Tokens).refresh_token
}

function refreshing (form: Form, clientId: string, first: string[]): Array<() => Promise<unknown>> {
  return first.map(token => async () => { ({ refresh_token: token } = await form('/token', { grant_type: 'refresh_token', client_id: clientId, refresh_token: token }) as Tokens) })
}

/** The peer, and the refresh tokens of users who let its client in. */
async function openOidcProvider (): Promise<{ peer: Peer, tokens: string[] }> {
  const child = fork(fileURLToPath(new URL('./oidc-provider.js', import.meta.url)), [String(CONNECTIONS)], { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] })
  let said = ''
  child.stdout!.on('data', chunk => { said += String(chunk) })
  while (!/\]\n/.test(said)) await once(child.stdout!, 'data')
  const [url, tokens] = said.split('\n')
  return { peer: { child, url: url!, ask: async () => { throw new Error('it takes forms alone') } }, tokens: JSON.parse(tokens!) as string[] }
}

/** Prints the ratios. */
export async function benchOAuth (): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-oauth-'))
  const databaseUrl = `file:${join(folder, 'signet.db')}`
  const { kept, secret } = makeSecret(Date.now())
  const [own, service] = [record({}), record({ grantTypes: ['client_credentials'], authMethod: 'client_secret_basic', secrets: [kept], audiences: ['signet'] })]
  const store = await openStore(databaseUrl)
  for (const client of [own, service]) await store.insertClient(client)
  await store.close()
  const [signet, bare, theirs] = [await open('signet', folder, COST, databaseUrl), await open('bare', folder, COST), await openOidcProvider()]
  const { url } = signet
  const [form, otherForm] = [formOf(url), formOf(theirs.peer.url)]
  const compare = async (name: string, least: number, mine: Array<() => Promise<unknown>>, [peer, work]: [Peer, Array<() => Promise<unknown>>]) => {
    const result = await ratio([signet, mine], [peer, work])
    process.stdout.write(row(name, result.ratio, `>= ${least}`, result.ratio >= least, `${result.one.toFixed(0)} to ${result.other.toFixed(0)} a CPU second`))
  }
  const asService = { authorization: `Basic ${Buffer.from(`${service.id}:${secret}`).toString('base64')}` }
  const asOtherService = { authorization: `Basic ${Buffer.from(`service:${encodeURIComponent(THEIR_SECRET)}`).toString('base64')}` }
  try {
    const tokens = await Promise.all(Array.from({ length: CONNECTIONS }, async (_, index) => await refreshToken(url, form, own, `oauth${index}@example.com`)))
    const refreshes = refreshing(form, own.id, tokens)
    await signet.ask('POST', '/register', { email: 'ada@example.com', password: PASSWORD })
    const { access_token: token } = await login(signet.ask, 'ada@example.com')
    const ownTokens = many(async () => await form('/token', { grant_type: 'client_credentials' }, asService))
    await compare('/token refresh / refresh', 0.95, refreshes, [signet, await refreshers(signet.ask, CONNECTIONS)])
    await compare('client_credentials / bare Fastify + one signature', 0.8, ownTokens, [bare, many(async () => await bare.ask('POST', '/sign'))])
    await compare('introspect / user-info', 0.8, many(async () => await form('/introspect', { token }, asService)), [signet, many(async () => await signet.ask('GET', '/user-info', undefined, token))])
    await compare('/token refresh / node-oidc-provider', 3, refreshes, [theirs.peer, refreshing(otherForm, 'bench', theirs.tokens)])
    await compare('client_credentials / node-oidc-provider', 3, ownTokens, [theirs.peer, many(async () => await otherForm('/token', { grant_type: 'client_credentials' }, asOtherService))])
  } finally {
    for (const { child } of [signet, bare, theirs.peer]) child.disconnect()
    await rm(folder, { recursive: true })
  }
}
