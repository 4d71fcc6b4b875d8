// Whatever came with a token, what is shown of it is printable and short.
import t from 'tap'
import { show } from '../../src/verifier/shown-text.js'

t.test('what can be printed is shown as it is, several texts apart', async t => {
  t.equal(show(['https://id.example/a?b=c%20d']), "'https://id.example/a?b=c%20d'")
  t.equal(show(['orders', 'a b', ' ']), "'orders', 'a b', ' '")
  t.equal(show([]), '')
})

t.test('what RFC 6750 keeps out of an error_description, and the mark around the text, is escaped', async t => {
  t.equal(show(['"\\\'']), "'%22%5C%27'")
  t.equal(show(['a\r\n\t\0\x7fb']), "'a%0D%0A%09%00%7Fb'")
  t.equal(show(['ü\u202e😀']), "'%C3%BC%E2%80%AE%F0%9F%98%80'")
  t.equal(show(['\ud800']), "'%EF%BF%BD'", 'half of a character too')
})

t.test('what is long is cut', async t => {
  t.equal(show(['x'.repeat(98)]), `'${'x'.repeat(98)}'`)
  t.equal(show(['x'.repeat(99)]), `'${'x'.repeat(99)}...`)
  t.equal(show(Array(10_000).fill('\0'.repeat(100)) as string[]).length, 103)
})
