// Several processes on one port: they serve together, each that dies is replaced, and all end together. None needs its database to serve the JWKS.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { MEASURED, run, settings } from './server-process.js'

/** Nobody listens there, and a server starts all the same. */
const AWAY = 'mongodb://127.0.0.1:1/signet'
const TWO = { WORKERS: '2', DATABASE_URL: AWAY, LOG_LEVEL: 'info', DOCS: 'off', ACCOUNT_PAGE: 'false' }

/** The status that one request on a connection of its own is answered with, or the code of the error that it ends with. */
async function statusOf (url: string): Promise<number | string> {
  try {
    const [response] = await once(get(url, { agent: false, timeout: 20_000 }), 'response') as [IncomingMessage]
    response.resume()
    return response.statusCode!
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!
  }
}

function childrenOf (pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

t.test('workers serve on one port; one that is killed under load is replaced, no client waits for it in vain, and SIGTERM ends them all', async t => {
  const { child, output, ended, hasEnded } = run(t, settings(t, TWO), MEASURED)
  const listening = () => [...output.out.matchAll(/"pid":(\d+),[^\n]*Signet listens on (http:[^\s"]+)/g)].map(([, pid, url]) => ({ pid: Number(pid), url: url! }))
  const until = async (isSo: () => boolean) => { while (!isSo() && !hasEnded()) await Promise.race([once(child.stdout, 'data'), ended]) }
  await until(() => listening().length === 2)
  const [{ url, pid: victim }, { pid: other }] = listening() as [{ url: string, pid: number }, { url: string, pid: number }]
  t.strictSame(new Set(listening().map(({ url }) => url)), new Set([url]))
  t.equal(output.out.match(/Signet listens on http:\S+ \(one of 2 workers\)"/g)?.length, 2)
  t.strictSame(childrenOf(child.pid!).sort(), [victim, other].sort())
  const jwks = `${url}/.well-known/jwks.json`
  t.strictSame(new Set(await Promise.all(Array.from({ length: 20 }, async () => await statusOf(jwks)))), new Set([200]))
  const storm = Array.from({ length: 200 }, async (_, at) => {
    if (at === 50) process.kill(victim, 'SIGKILL')
    return await statusOf(jwks)
  })
  const answers = await Promise.all(storm)
  t.ok(answers.every(answer => answer === 200 || answer === 'ECONNRESET'), `${new Set(answers)}`)
  await until(() => /has the place/.test(output.out))
  t.match(output.out, `"ended":{"pid":${victim},"code":null,"signal":"SIGKILL"},"msg":"this worker has the place of one that ended"`)
  t.equal(listening().length, 3)
  t.strictSame(new Set(await Promise.all(Array.from({ length: 20 }, async () => await statusOf(jwks)))), new Set([200]))
  child.kill('SIGHUP')
  // While the one that replaces it is waited for.
  process.kill(listening()[2]!.pid, 'SIGKILL')
  await once(child.stdout, 'data').catch(() => {})
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
  t.equal(await statusOf(jwks), 'ECONNREFUSED')
})

t.test('who was handed to a worker that dies before it looks waits no longer', async t => {
  const { child, output, ended, hasEnded } = run(t, settings(t, TWO), MEASURED)
  const listening = () => [...output.out.matchAll(/"pid":(\d+),[^\n]*Signet listens on (http:[^\s"]+)/g)].map(([, pid, url]) => ({ pid: Number(pid), url: url! }))
  while (listening().length < 2 && !hasEnded()) await Promise.race([once(child.stdout, 'data'), ended])
  const [{ url, pid: victim }] = listening() as [{ url: string, pid: number }]
  process.kill(victim, 'SIGSTOP')
  // They take turns, so that one of these is of the one that stands still.
  const asked = Array.from({ length: 4 }, async () => await statusOf(`${url}/.well-known/jwks.json`))
  await Promise.race(asked)
  process.kill(victim, 'SIGKILL')
  const answers = await Promise.all(asked)
  t.ok(answers.includes('ECONNRESET') && answers.includes(200) && new Set(answers).size === 2, String(answers))
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
})

t.test('of those who connect while workers end nobody waits in vain, and their last word is a refused connection', async t => {
  const { child, output, ended, hasEnded } = run(t, settings(t, TWO), MEASURED)
  while (output.out.match(/Signet listens on/g)?.length !== 2 && !hasEnded()) await Promise.race([once(child.stdout, 'data'), ended])
  const jwks = `${/Signet listens on (http:[^\s"]+)/.exec(output.out)![1]}/.well-known/jwks.json`
  const answers: Array<number | string> = []
  const client = async () => {
    while (answers.at(-1) !== 'ECONNREFUSED' && !hasEnded()) answers.push(await statusOf(jwks))
  }
  const clients = Array.from({ length: 16 }, client)
  while (answers.length < 100) await pause(10)
  child.kill('SIGTERM')
  await Promise.all(clients)
  t.match(await ended, { code: 0, err: '' })
  // Between the look at what the kernel holds and the close, those may still come who ask at one moment.
  const resets = answers.filter(answer => answer === 'ECONNRESET').length
  t.ok(resets <= clients.length, `${resets} of ${answers.length}`)
  t.strictSame(new Set(answers.filter(answer => answer !== 'ECONNRESET')), new Set([200, 'ECONNREFUSED']))
})

t.test('one scrape shows all workers, and what one that died had counted does not go back', async t => {
  const { child, output, ended, hasEnded } = run(t, settings(t, { ...TWO, METRICS_PORT: '0' }), MEASURED)
  /** Where each worker says that they are. */
  const place = () => /"msg":"Metrics are at (http:[^"]+)"/.exec(output.out)?.[1] ?? 'http://127.0.0.1:0'
  /** Scrapes until a figure is what it is to be. */
  const scrape = async (series: RegExp, isSo: (figure: number) => boolean): Promise<number> => {
    let figure
    do {
      await pause(100)
      const text = await fetch(place()).then(async answer => await answer.text(), () => '')
      figure = Number(series.exec(text)?.[1] ?? 0)
    } while (!isSo(figure) && !hasEnded())
    return figure
  }
  const WORKERS = /^signet_workers (\d+)$/m
  const KEYS = /^http_server_request_duration_seconds_count\{http_request_method="GET",http_route="\/\.well-known\/jwks\.json",http_response_status_code="200"\} (\d+)$/m
  t.equal(await scrape(WORKERS, count => count === 2), 2)
  const [url, victim] = [/listens on (http:[^\s"]+)/.exec(output.out)![1]!, Number(/"pid":(\d+),[^\n]*listens on/.exec(output.out)![1])]
  for (let at = 0; at < 20; at++) t.equal(await statusOf(`${url}/.well-known/jwks.json`), 200)
  t.equal(await scrape(KEYS, count => count >= 20), 20)
  process.kill(victim, 'SIGKILL')
  t.equal(await scrape(WORKERS, count => count === 1), 1)
  t.equal(await scrape(KEYS, () => true), 20)
  t.equal(await scrape(WORKERS, count => count === 2), 2)
  t.equal(await scrape(KEYS, () => true), 20)
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
})

t.test('a port of metrics that is taken is said once, and no worker starts', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  t.match(await run(t, settings(t, { ...TWO, METRICS_PORT: String(port) }), MEASURED).ended, { code: 1, out: '', err: `Port ${port} of 127.0.0.1 is taken: stop what listens there, or set METRICS_PORT.\n` })
})

t.test('what keeps workers from their start is said once', async t => {
  const env = settings(t, { ...TWO, NODE_ENV: 'production', ISSUER: 'https://id.example', LOG_LEVEL: 'fatal' })
  t.strictSame(await run(t, env, MEASURED).ended, { code: 1, out: '', err: `There is no key ring in ${env.KEYS_DIR}: make one with \`npm run keys:generate\`.\n` })
})

t.test('a signal that comes before they listen ends them', async t => {
  const { child, ended } = run(t, settings(t, TWO), MEASURED)
  while (childrenOf(child.pid!).length === 0) await new Promise(resolve => { setTimeout(resolve, 10) })
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
})
