// The document of events names every kind, with its level and class, and every cause, as the code has them.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { CAUSES, EVENT_KINDS, EVENTS, levelOf } from '../src/core/events.js'

const text = readFileSync('docs/events.md', 'utf8')

t.test('every kind is told, with how the log tells of it, and no other', async t => {
  const rows = [...text.matchAll(/^\| `([a-z_]+\.[a-z_]+)` \| (info|warn) \| [^|]+ \| [^|]*\|$/gm)].map(([, kind, level]) => [kind, level])
  t.strictSame(rows, EVENT_KINDS.map(kind => [kind, levelOf(kind)]))
})

t.test('every class of OCSF is told with its kinds', async t => {
  for (const uid of [3001, 3002, 3004]) t.match(text, `| ${EVENT_KINDS.filter(kind => EVENTS[kind].ocsf[0] === uid).map(kind => `\`${kind}\``).join(', ')} |`, String(uid))
})

t.test('every cause is told, and no other', async t => {
  const [, table = ''] = text.split('| `cause` of `family.closed` | |\n|---|---|\n')
  t.strictSame([...table.split('\n\n')[0]!.matchAll(/^\| `(\w+)` \|/gm)].map(([, cause]) => cause), [...CAUSES])
})
