// What every store must do with clients, over the real thing, races included; an adapter's test says how to open one.
import { randomUUID } from 'node:crypto'
import type { Client } from '../../src/core/client.js'
import { proveOn, race, type Open } from './store-contract.js'

/** A client with every member that there may be; what it says looks like an operator, a path or a quotation to one database or another. */
export function newClient (): Client {
  return {
    id: randomUUID(),
    version: 1,
    name: '$name "$$ROOT"',
    redirectUris: ['https://app.example/$set?a=1&b=2', 'http://127.0.0.1/callback'],
    grantTypes: ['authorization_code', 'refresh_token'],
    authMethod: 'private_key_jwt',
    secrets: [{ hash: '$hash', createdAt: 1000 }, { hash: 'other', createdAt: 2000 }],
    jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', 'x5t#S256': 't', $set: 'key', 'a.b': [1, null] }] },
    jwksUri: 'https://app.example/jwks',
    scopes: ['$scope', 'read:all'],
    audiences: ['https://api.example'],
    postLogoutRedirectUris: ['https://app.example/'],
    isOurs: false,
    requiresPkce: true,
    createdAt: 1000,
  }
}

function sorted (...clients: Client[]): Client[] {
  return clients.sort((one, other) => one.id < other.id ? -1 : 1)
}

/** Runs the contract of clients on the stores that `open` returns. */
export function proveClients (open: Open): void {
  const prove = proveOn(open)

  prove('a client that was inserted is found whole, and a second of its id is refused', async (t, store) => {
    const client = newClient()
    const { jwks: _, jwksUri: __, ...least } = { ...newClient(), redirectUris: [], secrets: [], scopes: [], audiences: [], postLogoutRedirectUris: [] }
    for (const one of [client, least]) {
      t.ok(await store.insertClient(one))
      t.strictSame(await store.findClient(one.id), one)
    }
    t.notOk(await store.insertClient({ ...client, name: 'Another' }))
    t.strictSame(await store.findClient(client.id), client)
    for (const nobody of [randomUUID(), '', '$ne']) t.equal(await store.findClient(nobody), undefined)
  })

  prove('what a client has as undefined, it has not', async (t, store) => {
    const { jwks: _, jwksUri: __, ...client } = newClient()
    await store.insertClient({ ...client, jwks: undefined, jwksUri: undefined })
    t.strictSame(await store.findClient(client.id), client)
    await store.replaceClient({ ...client, version: 2, jwks: undefined, jwksUri: undefined }, 1)
    t.strictSame(await store.findClient(client.id), { ...client, version: 2 })
  })

  prove('all clients are listed in the order of their ids, a page at a time', async (t, store) => {
    t.strictSame(await store.listClients('', 2), [])
    const clients = sorted(newClient(), newClient(), newClient())
    for (const client of clients) await store.insertClient(client)
    const listed: Client[] = []
    for (let page = await store.listClients('', 2); page.length > 0; page = await store.listClients(page.at(-1)!.id, 2)) listed.push(...page)
    t.strictSame(listed, clients)
  })

  prove('a client is replaced where it stands at the version that was read, and no other is touched', async (t, store) => {
    const [client, other] = [newClient(), newClient()]
    for (const one of [client, other]) await store.insertClient(one)
    const { jwks: _, ...changed } = { ...client, version: 2, name: 'Another', scopes: [] }
    t.notOk(await store.replaceClient(changed, 2))
    t.notOk(await store.replaceClient({ ...changed, id: randomUUID() }, 1), 'nobody, who is not made')
    t.strictSame(await store.listClients('', 10), sorted(client, other))
    t.ok(await store.replaceClient(changed, 1))
    t.strictSame(await store.findClient(client.id), changed)
    t.notOk(await store.replaceClient({ ...changed, name: 'Late' }, 1))
    t.strictSame(await store.listClients('', 10), sorted(changed, other))
  })

  prove('of 64 racing changes of one version one counts', async (t, store, stores) => {
    const client = newClient()
    await store.insertClient(client)
    for (const version of [1, 2, 3]) {
      const outcomes = await race(async index => await stores[index % stores.length]!.replaceClient({ ...client, version: version + 1, name: `Name ${index}` }, version))
      t.equal(outcomes.filter(Boolean).length, 1)
      t.strictSame(await store.findClient(client.id), { ...client, version: version + 1, name: `Name ${outcomes.indexOf(true)}` })
    }
  })

  prove('64 racing inserts of one id make one client', async (t, store, stores) => {
    const client = newClient()
    const outcomes = await race(async index => await stores[index % stores.length]!.insertClient({ ...client, name: `Name ${index}` }))
    t.equal(outcomes.filter(Boolean).length, 1)
    t.strictSame(await store.findClient(client.id), { ...client, name: `Name ${outcomes.indexOf(true)}` })
  })

  prove('a client is removed once, for good, and alone', async (t, store, stores) => {
    const [client, other] = [newClient(), newClient()]
    for (const one of [client, other]) await store.insertClient(one)
    const outcomes = await race(async index => await stores[index % stores.length]!.removeClient(client.id))
    t.equal(outcomes.filter(Boolean).length, 1)
    t.equal(await store.findClient(client.id), undefined)
    t.notOk(await store.replaceClient({ ...client, version: 2 }, 1), 'a change brings none back')
    t.strictSame(await store.listClients('', 10), [other])
    t.notOk(await store.removeClient(randomUUID()))
  })
}
