// What a command records: who ran it, and that it fails no command.
import { userInfo } from 'node:os'
import t, { type Test } from 'tap'
import { operatorName, recordAsOperator } from '../../scripts/operator-events.js'
import type { KeptEvent } from '../../src/core/events.js'

function keeper () {
  const kept: KeptEvent[] = []
  return { kept, store: { insertEvents: async (events: KeptEvent[]) => { kept.push(...events) } } }
}

t.test('what an operator did is kept with who it was, and by which command', async t => {
  t.intercept(process, 'argv', { value: ['node', '/somewhere/users-set-roles.js'] })
  const { kept, store } = keeper()
  await recordAsOperator(store, { kind: 'user.disabled', userId: 'u' })
  await recordAsOperator(store, { kind: 'users.imported', details: { count: 3 } })
  t.match(kept, [
    { kind: 'user.disabled', userId: 'u', by: `${operatorName()}, users:set-roles`, id: /^[\da-f-]{36}$/, at: Number },
    { kind: 'users.imported', details: { count: 3 } },
  ])
  t.ok(kept[0]!.id < kept[1]!.id)
})

/** As a command finds it that is started with this setting. */
async function startedWith (t: Test, days: string): Promise<typeof recordAsOperator> {
  t.intercept(process, 'env', { value: { ...process.env, EVENTS_RETENTION_DAYS: days } })
  const { recordAsOperator } = await t.mockImport<typeof import('../../scripts/operator-events.js')>('../../scripts/operator-events.js')
  return recordAsOperator
}

t.test('where no events are kept, none is', async t => {
  const { kept, store } = keeper()
  await (await startedWith(t, '0'))(store, { kind: 'user.enabled', userId: 'u' })
  t.strictSame(kept, [])
})

t.test('what cannot be recorded is said, and fails nothing', async t => {
  const said = t.capture(process.stderr, 'write')
  await recordAsOperator({ insertEvents: async () => { throw new Error('The disk is full.') } }, { kind: 'user.enabled', userId: 'u' })
  await (await startedWith(t, 'many'))(keeper().store, { kind: 'user.enabled', userId: 'u' })
  t.match(said.args(), [['It was done, but not recorded among the events: The disk is full.\n'], [/^It was done, but not recorded among the events: The setting EVENTS_RETENTION_DAYS must be /]])
})

t.test('root that stands for somebody is named by them, and who has no name by the number', async t => {
  t.equal(operatorName(), process.geteuid!() === 0 && process.env['SUDO_USER'] ? process.env['SUDO_USER'] : userInfo().username)
  t.intercept(process, 'geteuid', { value: () => 0 })
  t.intercept(process, 'env', { value: { ...process.env, SUDO_USER: 'ada' } })
  t.equal(operatorName(), 'ada')
  t.intercept(process, 'geteuid', { value: () => 1234 })
  t.equal(operatorName(), userInfo().username)
})
