// What a role must be, and the one form of a list of them.
import t from 'tap'
import { MAX_ROLES, normaliseRoles } from '../../src/core/roles.js'

t.test('roles are sorted, and each is there once', async t => {
  t.strictSame(normaliseRoles([]), { roles: [] })
  t.strictSame(normaliseRoles(['staff', 'admin', 'staff', 'billing:read', 'org/1.a-b_C']), { roles: ['admin', 'billing:read', 'org/1.a-b_C', 'staff'] })
  t.match(normaliseRoles(['x'.repeat(64)]), { roles: { length: 1 } })
})

t.test('what is no role is said', async t => {
  for (const name of ['', ' ', 'a b', 'a,b', 'x'.repeat(65), 'rôle', 'a\n', '"', '$in(']) t.match(normaliseRoles(['admin', name]), { fault: `; ${JSON.stringify(name)} is none.` }, name)
})

t.test('a user has a bounded number of them', async t => {
  const names = Array.from({ length: MAX_ROLES }, (_, index) => `role${index}`)
  t.match(normaliseRoles([...names, ...names]), { roles: { length: MAX_ROLES } })
  t.strictSame(normaliseRoles([...names, 'one-more']), { fault: 'A user has 32 roles at most.' })
})
