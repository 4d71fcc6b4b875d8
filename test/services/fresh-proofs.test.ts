// Who counts as just proved: a log-in of the last ten minutes, or a password.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { FreshProofs } from '../../src/services/fresh-proofs.js'
import { newFamily, newUser } from '../store/store-contract.js'

const device = { ip: '192.0.2.7', userAgent: null }

t.test('a log-in is a proof for ten minutes, and a password always is asked of the account', async t => {
  const family = { ...newFamily(1_000), createdAt: 1_000 }
  const caller = { user: { ...newUser(), families: [newFamily(), family] }, familyId: family.id }
  const asked: unknown[] = []
  const proofs = new FreshProofs({ accounts: { proveCaller: async (...args) => { asked.push(args) } } })
  await proofs.assert(caller, undefined, device, 600_999)
  await t.rejects(proofs.assert(caller, undefined, device, 601_000), { code: 'fresh_log_in_needed', status: 403 })
  t.strictSame(asked, [])
  const password = randomUUID()
  await proofs.assert(caller, password, device, 601_000)
  t.strictSame(asked, [[caller, password, device, 601_000]])
})
