// Clients as a node sees them: one read an id, for a few seconds, also of those that are not there.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Client } from '../../src/core/client.js'
import { Clients } from '../../src/services/clients.js'
import { newClient } from '../store/client-contract.js'

function counted (...kept: Client[]) {
  const asked: string[] = []
  const store = {
    findClient: async (id: string) => {
      asked.push(id)
      return kept.find(client => client.id === id)
    },
  }
  return { clients: new Clients(store), asked, kept }
}

t.test('a client is read once in three seconds, whoever asks at the same time', async t => {
  const client = newClient()
  const { clients, asked, kept } = counted(client)
  t.strictSame(await Promise.all([clients.find(client.id, 1000), clients.find(client.id, 1001)]), [client, client])
  kept[0] = { ...client, version: 2 }
  t.equal((await clients.find(client.id, 3999))?.version, 1)
  t.equal(asked.length, 1)
  t.equal((await clients.find(client.id, 4000))?.version, 2)
  t.equal(asked.length, 2)
})

t.test('a clock that was set back keeps no client for longer', async t => {
  const client = newClient()
  const { clients, kept } = counted(client)
  await clients.find(client.id, 1_000_000)
  kept[0] = { ...client, version: 2 }
  t.equal((await clients.find(client.id, 1000))?.version, 2)
})

t.test('that there is no such client is remembered for as long, and what is no id is not asked for', async t => {
  const { clients, asked, kept } = counted()
  const client = newClient()
  t.equal(await clients.find(client.id, 1000), undefined)
  kept.push(client)
  t.equal(await clients.find(client.id, 3999), undefined)
  t.strictSame(await clients.find(client.id, 4000), client)
  for (const id of ['', 'client', client.id.toUpperCase(), `${client.id} `, `${client.id}\n`, '$ne']) t.equal(await clients.find(id, 1000), undefined)
  t.strictSame(asked, [client.id, client.id])
})

t.test('of more than a thousand ids the one that was asked about longest ago is forgotten', async t => {
  const client = newClient()
  const { clients, asked } = counted(client)
  await clients.find(client.id, 1000)
  const others = Array.from({ length: 1000 }, () => randomUUID())
  for (const [at, id] of others.entries()) {
    await clients.find(id, 1000)
    if (at === 998) await clients.find(client.id, 1000)
  }
  t.equal(asked.length, 1001)
  await clients.find(client.id, 1000)
  t.equal(asked.length, 1001, 'one in use stays')
  await clients.find(others[0]!, 1000)
  t.equal(asked.length, 1002)
})

t.test('a store that was away is asked again, and whoever waited for it is told', async t => {
  const client = newClient()
  const outage = new Error('away')
  let answer: () => Promise<Client | undefined> = async () => { throw outage }
  const clients = new Clients({ findClient: async () => await answer() })
  const outcomes = await Promise.allSettled([clients.find(client.id, 1000), clients.find(client.id, 1000)])
  t.strictSame(outcomes.map(({ status }) => status), ['rejected', 'rejected'])
  answer = async () => client
  t.strictSame(await clients.find(client.id, 1001), client)
})

t.test('a read that fails late takes nothing away from a later one', async t => {
  const client = newClient()
  let fail = (_: Error) => {}
  let answer: () => Promise<Client | undefined> = async () => await new Promise((_resolve, reject) => { fail = reject })
  let asked = 0
  const clients = new Clients({ findClient: async () => { asked++; return await answer() } })
  const first = clients.find(client.id, 1000)
  answer = async () => client
  t.strictSame(await clients.find(client.id, 4000), client)
  fail(new Error('away'))
  await t.rejects(first, { message: 'away' })
  await clients.find(client.id, 4001)
  t.equal(asked, 2)
})
