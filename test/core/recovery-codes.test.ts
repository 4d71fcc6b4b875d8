// Recovery codes: how many, how long, how they are typed, and what is kept of them.
import { createHash } from 'node:crypto'
import t from 'tap'
import { base32 } from '../../src/core/base32.js'
import { digestOfRecoveryCode, newRecoveryCodes } from '../../src/core/recovery-codes.js'

t.test('there are ten, of 120 bits each, in groups, and none is another', async t => {
  const codes = [...newRecoveryCodes(), ...newRecoveryCodes()]
  t.equal(new Set(codes).size, 20)
  for (const code of codes) t.match(code, /^([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}$/)
})

t.test('case, dashes, blanks and letters that look alike do not matter, and all else does', async t => {
  const digest = digestOfRecoveryCode('10ab-cdef-ghjk-mnpq-rstv-wxyz')
  for (const typed of ['10ABCDEFGHJKMNPQRSTVWXYZ', ' lOab cdef ghjk mnpq rstv wxyz ', 'I0ab-cdefghjkmnpqrstv-wxyz']) t.equal(digestOfRecoveryCode(typed), digest)
  for (const typed of ['10ab-cdef-ghjk-mnpq-rstv-wxyy', '10ab-cdef-ghjk-mnpq-rstv-wxy', '', '10ab_cdef-ghjk-mnpq-rstv-wxyz']) t.not(digestOfRecoveryCode(typed), digest)
  t.equal(digest, createHash('sha256').update('10abcdefghjkmnpqrstvwxyz').digest('base64url'))
})

t.test('bytes become letters of five bits each, the last filled up', async t => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  // RFC 4648, section 10, without the padding.
  for (const [text, written] of [['', ''], ['f', 'MY'], ['fo', 'MZXQ'], ['foo', 'MZXW6'], ['foob', 'MZXW6YQ'], ['fooba', 'MZXW6YTB'], ['foobar', 'MZXW6YTBOI']] as const) t.equal(base32(Buffer.from(text), alphabet), written)
})
