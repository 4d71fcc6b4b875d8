// Places in the status lists: every one has an index of its own, which tells nothing of its number.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { KEY_BYTES, LIST_BYTES, LIST_SIZE, Permutation, placeOf, serialOf, writeBit } from '../../src/core/status-list.js'

t.test('a serial number is a place in a list, and back', async t => {
  for (const [list, place] of [[0, 0], [0, LIST_SIZE - 1], [1, 0], [7, 123_456], [2 ** 30, 5]] as const) t.strictSame(placeOf(serialOf(list, place)), { list, place })
})

t.test('all places of a list have indices, each another', async t => {
  for (const key of [randomBytes(KEY_BYTES), Buffer.alloc(KEY_BYTES)]) {
    const permutation = new Permutation(key)
    const seen = Buffer.alloc(LIST_BYTES)
    for (let place = 0; place < LIST_SIZE; place++) writeBit(seen, permutation.indexOf(place), 1)
    t.ok(seen.every(byte => byte === 0xff))
  }
})

t.test('places that follow each other are anywhere, and elsewhere by another key', async t => {
  const [one, other] = [new Permutation(randomBytes(KEY_BYTES)), new Permutation(randomBytes(KEY_BYTES))]
  const places = Array.from({ length: 4096 }, (_, place) => place)
  const halves = places.filter(place => one.indexOf(place) < LIST_SIZE / 2).length
  t.ok(halves > 1_800 && halves < 2_300, `${halves} of 4,096 in the first half`)
  const near = places.filter(place => Math.abs(one.indexOf(place + 1) - one.indexOf(place)) < LIST_SIZE / 64).length
  t.ok(near < 4096 / 16, `${near} of 4,096 near the one before`)
  t.ok(places.filter(place => one.indexOf(place) === other.indexOf(place)).length < 5)
})

t.test('the lowest bit of a byte comes first (draft-ietf-oauth-status-list-21, section 4.1)', async t => {
  const bytes = Buffer.alloc(2)
  for (const index of [0, 3, 4, 5, 7, 8, 9, 13, 15]) writeBit(bytes, index, 1)
  t.equal(bytes.toString('hex'), 'b9a3', 'the example of the draft')
  for (const index of [0, 13]) writeBit(bytes, index, 0)
  writeBit(bytes, 1, 0)
  t.equal(bytes.toString('hex'), 'b883')
})
