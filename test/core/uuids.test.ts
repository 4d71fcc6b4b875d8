// How an id is written in bytes.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { isUuid, readUuid, UUID_BYTES, writeUuid } from '../../src/core/uuids.js'

t.test('an id is read from where it was written, and nothing beside it is touched', async t => {
  const id = randomUUID()
  const bytes = Buffer.alloc(UUID_BYTES + 2, 0xff)
  writeUuid(id, bytes, 1)
  t.equal(readUuid(bytes, 1), id)
  t.strictSame([bytes[0], bytes.at(-1)], [0xff, 0xff])
})

t.test('a UUID is told by its form, in lower case alone', async t => {
  const id = '0190f3a2-5b6c-7d8e-9fab-000000000001'
  t.ok(isUuid(id))
  for (const other of [id.toUpperCase(), `${id}0`, ` ${id}`, `${id}\n`, id.replaceAll('-', ''), id.replace('a', 'g'), '']) t.notOk(isUuid(other), other)
})
