// Which events are told by mail, and to whom.
import t from 'tap'
import type { EventKind, SecurityEvent } from '../../src/core/events.js'
import type { Address, Asker } from '../../src/services/mail-queue.js'
import { Notices } from '../../src/services/notices.js'
import type { User } from '../../src/store/store.js'

const NOW = 1_800_000_000_000
const USER: User = { id: 'ada', email: 'ada@example.com', name: null, passwordHash: '', createdAt: 0, families: [], roles: [] }

function openNotices (find: (id: string) => Promise<User | undefined> = async () => USER) {
  const asked: Array<[Asker, Address]> = []
  const { hear } = new Notices({ store: { findUser: find }, mails: { add: (...one) => { asked.push(one) } } })
  const told = async () => await Promise.all(asked.splice(0).map(async ([asker, address]) => [asker, await address(NOW)]))
  return { hear, told }
}

t.test('each event that a person must know of has its mail, and no other event has one', async t => {
  const { hear, told } = openNotices()
  const kinds = {
    'password.changed': 'password-changed', 'password.reset': 'password-changed', 'second_factor.added': 'factor-added', 'second_factor.removed': 'factor-removed',
    'recovery_codes.made': 'recovery-codes-made', 'recovery_codes.used': 'recovery-code-used', 'refresh.reused': 'refresh-reused',
  }
  for (const [event, kind] of Object.entries(kinds)) {
    hear({ kind: event as EventKind, at: NOW, userId: 'ada', ip: '192.0.2.7', userAgent: 'Firefox/145.0' })
    t.strictSame(await told(), [['known', { kind, to: 'ada@example.com', userId: 'ada', values: { at: '2027-01-15 08:00 UTC', ip: '192.0.2.7', device: 'Firefox' } }]], event)
  }
  hear({ kind: 'login.succeeded', at: NOW, userId: 'ada', details: { is_new_device: true } })
  t.strictSame(await told(), [['known', { kind: 'new-device', to: 'ada@example.com', userId: 'ada', values: { at: '2027-01-15 08:00 UTC', ip: '–', device: '–' } }]])
  const silent: SecurityEvent[] = [
    { kind: 'login.succeeded', at: NOW, userId: 'ada', details: { is_new_device: false } }, { kind: 'login.succeeded', at: NOW, userId: 'ada' }, { kind: 'login.failed', at: NOW, userId: 'ada' }, { kind: 'email.changed', at: NOW, userId: 'ada' },
    { kind: 'password.changed', at: NOW }, { kind: 'mail.failed', at: NOW, userId: 'ada' },
  ]
  for (const event of silent) hear(event)
  t.strictSame(await told(), [])
})

t.test('the address is the one that the user has when the mail is written; of somebody who is gone there is none', async t => {
  const users = [{ ...USER, email: 'later@example.com' }, undefined]
  const { hear, told } = openNotices(async () => users.shift())
  for (let count = 0; count < 2; count++) hear({ kind: 'password.changed', at: NOW, userId: 'ada' })
  t.match(await told(), [['known', { to: 'later@example.com' }], ['known', undefined]])
})
