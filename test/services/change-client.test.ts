// A change of a client is made on what is there, once, whoever races with it.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { rotateSecret } from '../../src/core/client-changes.js'
import type { Client } from '../../src/core/client.js'
import { changeClient } from '../../src/services/change-client.js'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import { newClient } from '../store/client-contract.js'
import { race } from '../store/store-contract.js'

async function kept (t: Test, change: Partial<Client> = {}) {
  const path = join(t.testdir(), 'signet.db')
  const stores = [new SqliteStore(path), new SqliteStore(path)] as const
  t.teardown(async () => { for (const store of stores) await store.close() })
  const client = { ...newClient(), ...change }
  await stores[0].insertClient(client)
  return { client, stores, store: stores[0] }
}

const named = (name: string) => (client: Client) => ({ client: { ...client, version: client.version + 1, name } })

t.test('64 changes at once all count, one after the other', async t => {
  const { client, stores, store } = await kept(t, { scopes: [] })
  await race(async index => await changeClient(stores[index % 2]!, client.id, client => ({ client: { ...client, version: client.version + 1, scopes: [...client.scopes, `s${index}`] } })))
  const after = await store.findClient(client.id)
  t.equal(after?.version, 65)
  t.equal(new Set(after?.scopes).size, 64)
})

t.test('of 64 rotations of a secret at once one is made, and the others are refused', async t => {
  const { client, stores, store } = await kept(t, { authMethod: 'client_secret_basic', secrets: [{ hash: 'hash', createdAt: 1 }] })
  const outcomes = await race(async index => await changeClient(stores[index % 2]!, client.id, client => rotateSecret(client, 2000)))
  t.equal(outcomes.filter(outcome => 'secret' in outcome).length, 1)
  t.equal(outcomes.filter(outcome => 'refused' in outcome && outcome.refused === 'two_secrets').length, 63)
  t.match(await store.findClient(client.id), { version: 2, secrets: [{ createdAt: 1 }, { createdAt: 2000 }] })
})

t.test('a client that is not there, or is removed meanwhile, is not changed', async t => {
  const { client, store } = await kept(t)
  t.strictSame(await changeClient(store, newClient().id, named('Another')), { refused: 'unknown_client' })
  const removing = { findClient: store.findClient.bind(store), replaceClient: async (...change: [Client, number]) => { await store.removeClient(client.id); return await store.replaceClient(...change) } }
  t.strictSame(await changeClient(removing, client.id, named('Another')), { refused: 'unknown_client' })
  t.equal(await store.findClient(client.id), undefined)
})

t.test('what is refused changes nothing, and neither does what others overtake again and again', async t => {
  const { client, store } = await kept(t)
  t.strictSame(await changeClient(store, client.id, () => ({ refused: 'whatever' })), { refused: 'whatever' })
  const overtaken = { findClient: store.findClient.bind(store), replaceClient: async () => false }
  t.strictSame(await changeClient(overtaken, client.id, named('Another')), { refused: 'contended' })
  t.strictSame(await store.findClient(client.id), client)
})
