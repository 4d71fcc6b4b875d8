// Nothing that was answered is lost when the process is killed; a hundred rounds are `npm run prove:crash`.
import { resolve } from 'node:path'
import t from 'tap'
import { proveCrashes } from '../scripts/crash-rounds.js'

t.test('no answered registration, password change or revocation is lost to kill -9, and nobody honest is logged out', async t => {
  const { lost, answered } = await proveCrashes({ rounds: 3, command: [process.execPath, ...process.execArgv, resolve('src/server.ts')] })
  t.strictSame(lost, [])
  t.ok(answered.refreshes > 0 && answered.revocations > 0, JSON.stringify(answered))
})
