// Passkeys in a real browser, with an authenticator of its own: made and used by what Signet's options say, through the methods that browsers have for them.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CDPSession, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { freePort } from '../free-port.js'
import { ask, serve } from '../server-process.js'
import { openContext, withChromium } from './chromium.js'

const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }

interface Pair { access_token: string }
interface Answer<Body = Record<string, unknown>> { status: number, body: Body }
interface Opened { page: Page, devices: CDPSession, authenticatorId: string, url: string }

/** What the library of this page's types does not know of a browser. */
interface Browser {
  PublicKeyCredential: Record<'parseCreationOptionsFromJSON' | 'parseRequestOptionsFromJSON', (options: object) => object>
  navigator: { credentials: Record<'create' | 'get', (options: { publicKey: object }) => Promise<{ toJSON: () => object }>> }
}
interface Ceremony { does: 'create' | 'get', options: { url: string, body: object }, answer: { url: string, body: object }, token?: string }

/** What a front end does: asks for options, has the browser make or use a passkey by them, and sends that. In the browser. */
const PERFORM = async ({ does, options, answer, token }: Ceremony): Promise<Answer> => {
  const { PublicKeyCredential, navigator: { credentials } } = globalThis as unknown as Browser
  const send = async (url: string, body: object) => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }, body: JSON.stringify(body) })
    return { status: response.status, body: await response.json() as Record<string, unknown> }
  }
  try {
    const { body } = await send(options.url, options.body)
    const publicKey = does === 'create' ? PublicKeyCredential.parseCreationOptionsFromJSON(body) : PublicKeyCredential.parseRequestOptionsFromJSON(body)
    return await send(answer.url, { passkey: (await credentials[does]({ publicKey })).toJSON(), ...answer.body })
  } catch (error) {
    return { status: 0, body: { failed: (error as Error).name } }
  }
}

async function make (page: Page, token: string, name: string): Promise<Answer> {
  return await page.evaluate<Answer, Ceremony>(PERFORM, { does: 'create', options: { url: '/second-factors/passkeys/options', body: {} }, answer: { url: '/second-factors/passkeys', body: { name } }, token })
}

async function use (page: Page, { url = '', ...body }: { url?: string, refresh_token_in?: 'cookie' } = {}): Promise<Answer> {
  return await page.evaluate<Answer, Ceremony>(PERFORM, { does: 'get', options: { url: `${url}/login/passkey/options`, body: {} }, answer: { url: `${url}/login/passkey`, body } })
}

/** A page of Signet's, and an authenticator that asks nobody. */
async function open (t: Test, executablePath: string, env: Record<string, string> = {}, transport: 'internal' | 'usb' = 'internal'): Promise<Opened> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  await serve(t, { PORT: String(port), ISSUER: url, ...env })
  const context = await openContext(t, executablePath)
  const page = await context.newPage()
  const devices = await context.newCDPSession(page)
  await devices.send('WebAuthn.enable')
  const { authenticatorId } = await devices.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport, hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  })
  await page.goto(`${url}/account`)
  return { page, devices, authenticatorId, url }
}

/** A page of somebody else's on this host. */
async function servePage (t: Test): Promise<string> {
  const server = createServer((_request, response) => { response.setHeader('content-type', 'text/html').end('<!doctype html><title>page</title>') }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

async function logIn (url: string): Promise<string> {
  await ask(`${url}/register`, ACCOUNT)
  return ((await ask(`${url}/login`, ACCOUNT)).body as Pair).access_token
}

withChromium(executablePath => {
  t.test('a passkey that a browser made logs in there, without a name and a password, and beside a password', async t => {
    const { page, devices, authenticatorId, url } = await open(t, executablePath)
    const made = await make(page, await logIn(url), 'Laptop') as Answer<{ passkey: { id: string }, recovery_codes: string[] }>
    t.match(made, { status: 201, body: { passkey: { name: 'Laptop', last_used_at: null } } })
    t.equal(made.body.recovery_codes.length, 10)
    const { credentials } = await devices.send('WebAuthn.getCredentials', { authenticatorId })
    t.match(credentials, [{ isResidentCredential: true, rpId: 'localhost' }])
    t.equal(Buffer.from(credentials[0]!.credentialId, 'base64').toString('base64url'), made.body.passkey.id)
    const one = await use(page, { refresh_token_in: 'cookie' })
    t.strictSame([one.status, Object.keys(one.body).sort()], [200, ['access_token', 'expires_in', 'refresh_token_expires_in', 'token_type']])
    t.match((await ask(`${url}/user-info`, undefined, String(one.body['access_token']))).body, { email: ACCOUNT.email })
    const { body: { ticket, methods } } = await ask(`${url}/login`, ACCOUNT) as { body: { ticket: string, methods: string[] } }
    t.strictSame(methods, ['passkey', 'recovery_code'])
    const two = await page.evaluate<Answer, Ceremony>(PERFORM, { does: 'get', options: { url: '/login/passkey/options', body: { ticket } }, answer: { url: '/login/second-factor', body: { ticket } } })
    t.match(two, { status: 200, body: { refresh_token: /^A/ } })
    t.match((await ask(`${url}/second-factors`, undefined, String(two.body['access_token']))).body, { passkeys: [{ name: 'Laptop', last_used_at: /Z$/ }] })
  })

  t.test('one authenticator makes one passkey of an account, and uses none where nobody is verified', async t => {
    const { page, devices, authenticatorId, url } = await open(t, executablePath)
    await make(page, await logIn(url), 'Laptop')
    const { access_token: token } = (await use(page)).body
    t.match(await make(page, String(token), 'Laptop'), { status: 0, body: { failed: 'InvalidStateError' } })
    await devices.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    t.match(await use(page), { status: 0, body: { failed: 'NotAllowedError' } })
  })

  t.test('a security key that counts is let in once more each time, and its copy is not', async t => {
    const { page, devices, authenticatorId, url } = await open(t, executablePath, {}, 'usb')
    t.match(await make(page, await logIn(url), 'Stick'), { status: 201, body: { passkey: { is_backed_up: false } } })
    const { credentials: [copy] } = await devices.send('WebAuthn.getCredentials', { authenticatorId })
    t.strictSame([(await use(page)).status, (await use(page)).status], [200, 200])
    await devices.send('WebAuthn.removeCredential', { authenticatorId, credentialId: copy!.credentialId })
    await devices.send('WebAuthn.addCredential', { authenticatorId, credential: copy! })
    t.match(await use(page), { status: 401, body: { code: 'passkey_refused' } })
  })

  t.test('a page of another origin on the host uses them where CORS_ORIGINS lists it, and elsewhere none does', async t => {
    const [listed, other] = [await servePage(t), await servePage(t)]
    const { page, url } = await open(t, executablePath, { CORS_ORIGINS: listed })
    await make(page, await logIn(url), 'Laptop')
    await page.goto(listed)
    t.match(await use(page, { url }), { status: 200, body: { access_token: /./ } })
    await page.goto(other)
    t.match(await use(page, { url }), { status: 0, body: { failed: 'TypeError' } }, 'it may not even read the options')
  })
})
