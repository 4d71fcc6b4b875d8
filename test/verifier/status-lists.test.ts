// Which lists a service holds, and which it lets go.
import t, { type Test } from 'tap'
import { StatusLists } from '../../src/verifier/status-lists.js'
import { NOW } from './authority.js'
import { listAuthority } from './list-authority.js'

/** Lists by their numbers, each of which is fetched when it is asked for first. */
async function shelf (test: Test) {
  const stub = await listAuthority(test)
  stub.answerList = (request, response) => {
    void stub.signList({ sub: `https://id.example${request.url!}` }).then(token => { response.end(token) })
  }
  const lists = new StatusLists({ issuer: stub.issuer, fetch, timeout: 5, findKey: async () => stub.one.publicKey, onUnavailable: 'refuse', now: () => stub.now, locate: uri => uri.replace('https://id.example', stub.issuer) })
  const look = async (number: number) => (await lists.look({ idx: 0, uri: `https://id.example/status-lists/${number}` })).standing
  const asked = () => stub.asked.map(path => Number(path.split('/').at(-1)))
  return Object.assign(stub, { look, numbers: asked })
}

t.test('each list is fetched by itself, from where the service reaches the authority', async t => {
  const stub = await shelf(t)
  t.strictSame([await stub.look(0), await stub.look(1), await stub.look(0)], ['live', 'live', 'live'])
  t.strictSame(stub.asked, ['/status-lists/0', '/status-lists/1'])
})

t.test('of more than 64 lists the one that was least recently asked for is let go', async t => {
  const stub = await shelf(t)
  for (let number = 0; number < 64; number++) await stub.look(number)
  await stub.look(0)
  await stub.look(64)
  t.equal(stub.asked.length, 65)
  for (const number of [0, 2, 63, 64]) await stub.look(number)
  t.equal(stub.asked.length, 65, 'these are held')
  await stub.look(1)
  t.strictSame(stub.numbers().slice(64), [64, 1])
})

t.test('a list that nobody asked for in an hour is let go', async t => {
  const stub = await shelf(t)
  await stub.look(0)
  await stub.look(1)
  const { answerList } = stub
  stub.answerList = (_request, response) => { response.writeHead(503).end() }
  stub.now = NOW + 3_599_999
  t.equal(await stub.look(0), 'unknown', 'it is held, and has expired')
  stub.now = NOW + 3_600_000
  stub.answerList = answerList
  await stub.look(2)
  stub.now = NOW - 3_600_000
  t.equal(await stub.look(2), 'live', 'a clock that is set back lets none go')
  await stub.look(1)
  t.strictSame(stub.numbers(), [0, 1, 0, 2, 2, 1])
})
