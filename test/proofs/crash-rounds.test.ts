// Nothing that was answered is lost when the process is killed; a hundred rounds are `npm run prove:crash`.
import t from 'tap'
import { proveCrashes } from './crash-rounds.js'
import { SERVER } from '../server-process.js'

t.test('no answered registration, password change or revocation is lost to kill -9, and nobody honest is logged out', async t => {
  const { lost, answered } = await proveCrashes({ rounds: 3, command: SERVER })
  t.strictSame(lost, [])
  t.ok(answered.refreshes > 0 && answered.revocations > 0, JSON.stringify(answered))
})

t.test('the proof sees a server that forgets', async t => {
  const { lost } = await proveCrashes({ rounds: 1, command: ['sh', '-c', 'rm -f signet.db*; exec "$0" "$@"', ...SERVER] })
  t.ok(lost.includes('an honest client was logged out: 401'), 'families')
  t.ok(lost.includes('an answered registration was lost') || lost.includes('neither the answered password nor the attempted one logs in'), 'accounts')
})
