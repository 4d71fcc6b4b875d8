// `npm run store:copy` as an operator meets it; between two files, which needs no server.
import { join } from 'node:path'
import t from 'tap'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import { run, settings } from '../server-process.js'
import { newClient } from '../store/client-contract.js'
import { newUser } from '../store/store-contract.js'
import { copyJourney, STORE_COPY } from './copy-journey.js'

t.test('tokens that were issued before a copy work after it', async t => {
  await copyJourney(t, folder => `file:${join(folder, 'grown.db')}`)
})

t.test('what cannot be copied is said, ten at most by their ids', async t => {
  const env = settings(t)
  const [from, to] = ['from.db', 'to.db'].map(name => join(t.testdirName, name))
  const [source, destination] = [new SqliteStore(from!), new SqliteStore(to!)]
  for (let index = 0; index < 11; index++) {
    const [user, changed] = [newUser(), newUser()]
    await source.insertUser(user)
    await source.insertUser(changed)
    await destination.insertUser({ ...newUser(), email: user.email })
    await destination.insertUser({ ...changed, name: 'changed' })
  }
  await Promise.all([source.close(), destination.close()])
  const { code, out } = await run(t, env, [...STORE_COPY, `file:${from}`, `file:${to}`, '--merge']).ended
  t.equal(code, 1)
  const ids = '[\\da-f-]{36}(, [\\da-f-]{36}){9}, …'
  t.match(out, new RegExp(`^22 users; 0 copied now, 11 there before\\.\n11 not copied, for another user has their address: ${ids}\\.\n11 differ from the source and were left as they are: ${ids}\\.\n$`))
})

t.test('clients are copied with the users, and what differs of them is said', async t => {
  const env = settings(t)
  const [from, to] = ['from.db', 'to.db'].map(name => join(t.testdirName, name))
  const [client, other] = [newClient(), newClient()]
  const source = new SqliteStore(from!)
  for (const one of [client, other]) await source.insertClient(one)
  await source.close()
  const copy = async () => await run(t, env, [...STORE_COPY, `file:${from}`, `file:${to}`]).ended
  t.match(await copy(), { code: 0, out: '0 users; 0 copied now, 0 there before.\n2 clients; 2 copied now, 0 there before.\nVerified by count and by a digest a user.\n' })
  const destination = new SqliteStore(to!)
  await destination.replaceClient({ ...client, version: 2, name: 'Another' }, 1)
  await destination.close()
  t.match(await copy(), { code: 1, out: `0 users; 0 copied now, 0 there before.\n2 clients; 0 copied now, 2 there before.\n1 clients differ from the source and were left as they are: ${client.id}.\n` })
})

t.test('a copy from nothing, or without knowing where to, is refused', async t => {
  const env = settings(t)
  t.strictSame(await run(t, env, [...STORE_COPY, 'file:nothing.db', 'file:to.db']).ended, { code: 1, out: '', err: 'There is no store in nothing.db.\n' })
  for (const args of [['file:from.db'], ['file:a', 'file:b', 'file:c'], ['file:a', 'file:b', '--nonsense']]) {
    t.match(await run(t, env, [...STORE_COPY, ...args]).ended, { code: 2, out: '', err: /^Copies users and their families/ })
  }
  t.match(await run(t, env, [...STORE_COPY, '--help']).ended, { code: 0 })
  t.strictSame(await run(t, env, [...STORE_COPY, env['DATABASE_URL']!.replace('signet', 'nothing'), 'redis://x']).ended, { code: 1, out: '', err: `There is no store in ${t.testdirName}/data/nothing.db.\n` })
})
