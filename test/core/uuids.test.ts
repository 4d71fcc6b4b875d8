// How an id is written in bytes.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { readUuid, UUID_BYTES, writeUuid } from '../../src/core/uuids.js'

t.test('an id is read from where it was written, and nothing beside it is touched', async t => {
  const id = randomUUID()
  const bytes = Buffer.alloc(UUID_BYTES + 2, 0xff)
  writeUuid(id, bytes, 1)
  t.equal(readUuid(bytes, 1), id)
  t.strictSame([bytes[0], bytes.at(-1)], [0xff, 0xff])
})
