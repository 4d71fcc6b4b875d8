// What a client sees of a connection to MongoDB that stalls, or breaks in the middle of an answer.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { mongoClient, MongoStore } from '../../src/store/mongo-store.js'
import { PASSWORD, testApp, type Pair } from '../test-app.js'
import { MongoProxy } from './mongo-proxy.js'
import { LONG_MS, freshDatabase, openFor, withMongoDb } from './mongo-server.js'

type Fault = (proxy: MongoProxy, command: string) => void

/** What happens to the first request, and whether it was carried out all the same. */
const FAULTS: Array<[name: string, isCarriedOut: boolean, fault: Fault]> = [
  ['requests that never arrive', false, proxy => { proxy.stall('requests') }],
  ['answers that never arrive', true, proxy => { proxy.stall('answers') }],
  ['an answer cut in half', true, (proxy, command) => { proxy.cutAnswerTo(command) }],
]

withMongoDb(server => {
  const open = async (t: Test) => {
    const proxy = await MongoProxy.open(t, freshDatabase(t, server))
    const store = await openFor(t, proxy.url)
    const signet = await testApp(t, {}, { store })
    await store.ping()
    const failing = async (url: string, body: object, command: string, fault: Fault) => {
      fault(proxy, command)
      const began = Date.now()
      const answer = await signet.post(url, body)
      t.match([answer.statusCode, answer.headers['retry-after'], answer.json()], [503, '1', { code: 'unavailable' }])
      t.ok(Date.now() - began < LONG_MS, `${Date.now() - began} ms`)
      // What was on its way is lost with the connection.
      proxy.drop()
      proxy.resume()
    }
    const retried = async (url: string, body: object) => {
      for (let tries = 0; tries < 60; tries++) {
        const answer = await signet.post(url, body)
        if (answer.statusCode !== 503) return answer
        await pause(200)
      }
      throw new Error('it did not come back')
    }
    return { ...signet, failing, retried }
  }

  for (const [name, isCarriedOut, fault] of FAULTS) {
    t.test(`${name}: a refresh retried within the grace gets the one successor`, async t => {
      const { register, login, failing, retried, clock } = await open(t)
      await register()
      const { refresh_token: token } = await login()
      await failing('/refresh', { refresh_token: token }, 'findAndModify', fault)
      clock.now += 5_000
      const answers = [await retried('/refresh', { refresh_token: token }), await retried('/refresh', { refresh_token: token })]
      t.strictSame(answers.map(({ statusCode }) => statusCode), [200, 200])
      const [one, other] = answers.map(answer => answer.json<Pair>().refresh_token)
      t.equal(one, other)
      t.equal((await retried('/refresh', { refresh_token: one })).statusCode, 200)
    })

    t.test(`${name}: a registration retried says email_taken only if it did succeed`, async t => {
      const { login, failing, retried } = await open(t)
      const account = { email: 'ada@example.com', password: PASSWORD }
      await failing('/register', account, 'insert', fault)
      const answer = await retried('/register', account)
      t.match([answer.statusCode, answer.json()], isCarriedOut ? [409, { code: 'email_taken' }] : [201, { email: account.email }])
      t.ok((await login()).access_token)
    })
  }

  t.test('a client through which nothing comes for ten seconds is given up for another', async t => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.teardown(() => silent.close())
    const urls = [`mongodb://127.0.0.1:${(silent.address() as AddressInfo).port}/signet`, freshDatabase(t, server)]
    const store = new MongoStore(() => mongoClient(urls.shift()!))
    t.teardown(async () => { await store.close() })
    let failures = 0
    while (!await store.findUser('nobody').then(() => true, () => false)) failures++
    t.ok(failures >= 3, `${failures} failures`)
    t.strictSame(urls, [])
    await store.ping()
  })
})
