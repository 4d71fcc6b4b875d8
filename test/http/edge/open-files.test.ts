// Connections leave the process a part of the files that it may open.
import { join } from 'node:path'
import t from 'tap'
import { connectionsAllowed } from '../../../src/http/edge/open-files.js'

t.test('connections take what is wanted, or three quarters of the limit where that is less', t => {
  const folder = t.testdir({
    small: 'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288               files     \n',
    none: 'Max open files            unlimited            unlimited            files     \n',
  })
  t.strictSame(['small', 'none', 'missing'].map(name => connectionsAllowed(5000, join(folder, name))), [768, 5000, 5000])
  t.equal(connectionsAllowed(700, join(folder, 'small')), 700)
  t.ok(connectionsAllowed(5000) > 0)
  t.end()
})
