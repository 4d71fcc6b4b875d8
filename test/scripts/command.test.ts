// What commands have in common beside their form: why something cannot be.
import t from 'tap'
import { withCause } from '../../scripts/command.js'

t.test('what happened first of all is in words, and not as a library has it', async t => {
  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
  t.equal(withCause(new Error('It cannot be.', { cause: new Error('within', { cause: full }) })), 'It cannot be. (the disk is full)')
  t.equal(withCause(new Error('It cannot be.', { cause: new Error('nobody knows why') })), 'It cannot be. (nobody knows why)')
  t.equal(withCause(new Error('It cannot be.')), 'It cannot be.')
})
