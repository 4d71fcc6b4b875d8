// Registrations that tell nobody, where the store comes and goes, or others come first.
import t, { type Test } from 'tap'
import { AuthError } from '../../src/errors.js'
import type { Address } from '../../src/services/mail-queue.js'
import { MailedLinks } from '../../src/services/mailed-links.js'
import { Registrations } from '../../src/services/registrations.js'
import { DEVICE, NOW, openServices, PASSWORD } from './parts.js'

const REGISTRATION = { email: 'Grace@Example.com', password: PASSWORD, name: null }

async function ask (t: Test) {
  const { store, accounts, keyRing, events } = await openServices(t)
  const asked: Address[] = []
  const links = new MailedLinks({ keyRing, accountPage: 'https://signet.example/account' })
  const registrations = new Registrations({ store, accounts, links, mails: { add: (_asker, address) => { asked.push(address) } }, record: event => { events.push(event) } })
  await registrations.ask(REGISTRATION, DEVICE, NOW)
  events.splice(0)
  return { store, events, settle: asked[0]! }
}

t.test('a registration whose outcome was lost is the same one when it is tried again', async t => {
  const { store, settle, events } = await ask(t)
  const insert = store.insertUser.bind(store)
  store.insertUser = async user => {
    store.insertUser = insert
    await insert(user)
    throw new AuthError('unavailable')
  }
  await t.rejects(settle(NOW), { code: 'unavailable' })
  const user = (await store.findUserByEmail('grace@example.com'))!
  t.match(await settle(NOW), { kind: 'verify-email', to: 'grace@example.com', userId: user.id })
  t.strictSame(events, [])
})

t.test('whoever registers second at the same moment is told that there is an account', async t => {
  const { store, settle, events } = await ask(t)
  const other = { id: '00000000-0000-4000-8000-00000000000a', email: 'grace@example.com', name: null, passwordHash: 'other', createdAt: NOW, families: [], roles: [] }
  const find = store.findUserByEmail.bind(store)
  store.findUserByEmail = async email => {
    store.findUserByEmail = find
    const found = await find(email)
    await store.insertUser(other)
    return found
  }
  t.match(await settle(NOW), { kind: 'already-registered', userId: other.id, values: { link: /#reset-password=/ } })
  t.match(events, [{ kind: 'registration.repeated', userId: other.id }])
  store.findUserByEmail = async () => undefined
  t.equal(await settle(NOW), undefined, 'and nobody is told where that one is gone by then')
})
