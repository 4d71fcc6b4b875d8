// Steps of keys as events: each once, by whoever took it, with an id that every node makes alike.
import t from 'tap'
import type { HistoryEntry } from '../../src/keyring/ring-files.js'
import { keyEvents } from '../../src/services/key-events.js'

const at = '2027-01-15T08:00:00.000Z'
const HISTORY: HistoryEntry[] = [
  { at, kind: 'signing', id: 'a', from: null, to: 'active', by: 'server' },
  { at, kind: 'signing', id: 'b', from: null, to: 'next', by: 'command', who: 'ada' },
  { at, kind: 'signing', id: 'b', from: 'next', to: 'next', by: 'server' },
  { at, kind: 'signing', id: 'a', from: 'active', to: 'retired', by: 'command' },
  { at, kind: 'refresh', id: 'c', from: 'retired', to: 'revoked', by: 'command', who: 'ada' },
  { at, kind: 'signing', id: 'a', from: 'retired', to: null, by: 'server' },
  { at, kind: 'sealing', id: 'd', from: 'next', to: 'active', by: 'command' },
]

t.test('each step is an event, but for one that dates a state anew', async t => {
  const events = keyEvents(HISTORY)
  t.strictSame(events.map(({ kind, by, details }) => [kind, by, details?.key, details?.key_kind]), [
    ['keys.activated', 'server', 'a', 'signing'], ['keys.made', 'ada, command', 'b', 'signing'], ['keys.retired', 'command', 'a', 'signing'],
    ['keys.revoked', 'ada, command', 'c', 'refresh'], ['keys.removed', 'server', 'a', 'signing'], ['keys.activated', 'command', 'd', 'sealing'],
  ])
  t.ok(events.every(event => event.at === Date.parse(at)))
})

t.test('every node gives them the same ids, which differ, and are in the order of the history', async t => {
  const ids = keyEvents(HISTORY).map(({ id }) => id)
  t.strictSame(keyEvents(HISTORY).map(({ id }) => id), ids)
  t.strictSame([...new Set(ids)].sort(), ids)
})
