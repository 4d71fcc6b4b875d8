// The QR codes that the pages draw, read by another's reader: every version, texts of all lengths and letters.
import decode from 'qr/decode.js'
import t from 'tap'
import { modulesOf } from '../../src/browser/qr-code.js'

const SCALE = 3
const MARGIN = 4

/** What a reader reads of a picture of it. */
function read (rows: boolean[][]): string {
  const size = (rows.length + 2 * MARGIN) * SCALE
  const data = new Uint8Array(size * size * 4).fill(255)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (rows[Math.floor(y / SCALE) - MARGIN]?.[Math.floor(x / SCALE) - MARGIN]) data.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3)
    }
  }
  return decode({ width: size, height: size, data })
}

t.test('a code of every version is read as what it was made of, from the first text that needs it', async t => {
  const sizes = new Set<number>()
  let length = 1
  for (let rows = modulesOf('a'); rows; rows = modulesOf('a'.repeat(++length))) {
    if (sizes.has(rows.length)) {
      length += Math.ceil(length / 40)
      continue
    }
    sizes.add(rows.length)
    const text = Array.from({ length }, (_, index) => String.fromCharCode(33 + (index * 7919 + length) % 90)).join('')
    t.equal(read(modulesOf(text)!), text, `${length} letters`)
  }
  t.ok(sizes.size > 30, `${sizes.size} versions`)
})

t.test('what an app is set up by is read as it is, with letters of any script', async t => {
  for (const text of ['otpauth://totp/id.example.com:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=id.example.com&algorithm=SHA1&digits=6&period=30', '', 'Größe 🔑']) t.equal(read(modulesOf(text)!), text)
})

t.test('of what no code holds there is none', async t => {
  t.equal(modulesOf('a'.repeat(2_331))?.length, 177)
  t.equal(modulesOf('a'.repeat(2_332)), undefined)
})
