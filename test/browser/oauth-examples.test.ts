// The examples of clients, made by the words of their README: each logs a person in, or itself, in a real browser where it needs one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { createVerifier } from '../../src/verifier/verifier.js'
import { plainNode } from '../compiled.js'
import { freePort } from '../free-port.js'
import { ask, run, serve } from '../server-process.js'
import { openContext, withChromium } from './chromium.js'

const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }
const FOLDER = 'examples/oauth'
const README = readFileSync(`${FOLDER}/README.md`, 'utf8')

/** A Signet that listens, somebody who is registered there, and a client as the README makes the one of this name. */
async function stage (t: Test, name: string) {
  const [signetPort, port] = [await freePort(), await freePort()]
  const issuer = `http://127.0.0.1:${signetPort}`
  const { databaseUrl } = await serve(t, { PORT: String(signetPort), ISSUER: issuer })
  await ask(`${issuer}/register`, ACCOUNT)
  const args = new RegExp(`^npm run clients:add -- (--client-name ${name} .*)$`, 'm').exec(README)![1]!.replaceAll(/:400\d/g, `:${port}`).split(' ')
  const command = run(t, { DATABASE_URL: databaseUrl }, [...plainNode('scripts/clients-add.ts'), ...args, '--json'])
  command.child.stdin.end()
  const { client_id: id, client_secret: secret = '' } = JSON.parse((await command.ended).out) as { client_id: string, client_secret?: string }
  return { issuer, port, env: { ISSUER: issuer, PORT: String(port), CLIENT_ID: id, CLIENT_SECRET: secret } }
}

/** Starts an example; what it says comes line by line. */
function start (t: Test, path: string, env: Record<string, string>): AsyncIterator<string, undefined> {
  const child = spawn(process.execPath, [resolve(FOLDER, path)], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]()
}

/** The address that an example says is to be opened. */
async function opened (lines: AsyncIterator<string, undefined>): Promise<string> {
  return /^Open (.*)$/.exec(String((await lines.next()).value))![1]!
}

async function openPage (t: Test, executablePath: string): Promise<Page> {
  return await (await openContext(t, executablePath)).newPage()
}

/** What a person does on Signet's pages, until they lead elsewhere. */
async function logIn (page: Page): Promise<void> {
  await page.locator('input[type=email]:visible').fill(ACCOUNT.email)
  await page.locator('input[type=password]:visible').fill(ACCOUNT.password)
  const signet = new URL(page.url()).origin
  // What is pressed before the page's script is there is pressed in vain.
  await page.waitForLoadState()
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  await page.waitForLoadState()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL(({ origin }) => origin !== signet)
}

withChromium(executablePath => {
  t.test('the web application signs a person in, and out', async t => {
    const { env } = await stage(t, 'Web')
    const page = await openPage(t, executablePath)
    await page.goto(await opened(start(t, 'web/server.js', env)))
    await page.getByRole('link', { name: 'Sign in' }).click()
    await logIn(page)
    await page.getByText(`You are signed in as ${ACCOUNT.email}.`).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are not signed in.').waitFor()
    await page.getByRole('link', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: /^(Deny|Cancel)/ }).click()
    await page.getByText('That did not work: access_denied.').waitFor()
  })

  t.test('the single-page application signs a person in, stays so, and out', async t => {
    const { env } = await stage(t, 'SPA')
    const page = await openPage(t, executablePath)
    await page.goto(await opened(start(t, 'spa/serve.js', env)))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await logIn(page)
    for (const again of [false, true]) {
      if (again) await page.reload()
      await page.getByText(`You are signed in as ${ACCOUNT.email}.`).waitFor()
    }
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are not signed in.').waitFor()
  })

  t.test('the command-line tool signs a person in on a port that was free', async t => {
    const { env } = await stage(t, 'CLI')
    const page = await openPage(t, executablePath)
    const lines = start(t, 'cli/cli.js', env)
    await page.goto(await opened(lines))
    await logIn(page)
    await page.getByText('You can close this page, and go back to the terminal.').waitFor()
    t.equal((await lines.next()).value, `You are signed in as ${ACCOUNT.email}.`)
    t.ok((await lines.next()).done, 'and ends')
  })
})

t.test('the service asks another, which verifies its token', async t => {
  const { env, issuer } = await stage(t, 'Reports')
  const RESOURCE = 'https://orders.example'
  const { verify } = createVerifier({ issuer, audience: RESOURCE })
  const orders = createServer(async (request, response) => {
    const { sub, scope, sid } = await verify(request.headers.authorization!.slice('Bearer '.length))
    response.end(JSON.stringify({ sub, scope, sid }))
  })
  await once(orders.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    orders.close()
    orders.closeAllConnections()
  })
  const lines = start(t, 'service/service.js', { ...env, RESOURCE, API: `http://127.0.0.1:${(orders.address() as AddressInfo).port}/orders` })
  t.equal((await lines.next()).value, `200 {"sub":"${env.CLIENT_ID}","scope":"orders"}`)
})

t.test('an example that lacks a setting says which', async t => {
  for (const [path, has, lacks] of [
    ['web/server.js', { CLIENT_ID: 'web' }, 'CLIENT_SECRET'], ['spa/serve.js', {}, 'CLIENT_ID'], ['cli/cli.js', { CLIENT_ID: '' }, 'CLIENT_ID'], ['service/service.js', { CLIENT_ID: 'service', CLIENT_SECRET: 'secret' }, 'RESOURCE'],
  ] as const) {
    const child = spawn(process.execPath, [resolve(FOLDER, path)], { env: has })
    let said = ''
    child.stderr.on('data', chunk => { said += String(chunk) })
    t.strictSame(await once(child, 'close'), [1, null], path)
    t.equal(said, `${lacks} is missing in the environment: README.md says how to get it.\n`)
  }
})
