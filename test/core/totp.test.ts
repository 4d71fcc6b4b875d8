// Codes of an authenticator app, by the vectors of RFC 6238, appendix B, and RFC 4226, appendix D.
import t from 'tap'
import { codeAt, isCode, newSeed, stepAt, stepOf, uriOf, writeSecret } from '../../src/core/totp.js'
import { seedOf } from '../second-factors.js'

const SEED = Buffer.from('12345678901234567890')

t.test('the codes are those of the standards', async t => {
  // Of eight digits there, of which the last six are the code of six.
  const vectors = [[59, '94287082'], [1111111109, '07081804'], [1111111111, '14050471'], [1234567890, '89005924'], [2000000000, '69279037'], [20000000000, '65353130']] as const
  for (const [seconds, code] of vectors) t.equal(codeAt(SEED, stepAt(seconds * 1000)), code.slice(-6), String(seconds))
  const counted = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']
  t.strictSame(counted.map((_, step) => codeAt(SEED, step)), counted)
})

t.test('a code is good from a step before to a step after its own, and not up to the one that was used last', async t => {
  const now = 59_000
  for (const [step, code] of ['755224', '287082', '359152'].entries()) t.equal(stepOf(code, SEED, -1, now), step)
  t.equal(stepOf('969429', SEED, -1, now), undefined, 'two steps on')
  t.equal(stepOf('755224', SEED, -1, 60_000), undefined, 'two steps before')
  t.equal(stepOf('287082', SEED, 1, now), undefined, 'used')
  t.equal(stepOf('755224', SEED, 1, now), undefined, 'of one before it')
  t.equal(stepOf('359152', SEED, 1, now), 2)
  t.equal(stepOf(' 287 082', SEED, 0, now), 1, 'as people type it')
  for (const wrong of ['', '28708', '2870820', '28708a', '２８７０８２', '+87082', '0x1234', 'ABCDEF']) t.equal(stepOf(wrong, SEED, -1, now), undefined, wrong)
  t.strictSame(['287 082', '28-70-82', '9f3k-2m7q'].map(isCode), [true, true, false])
})

t.test('a secret is the seed in base32, and stands in the address with whose it is', async t => {
  t.equal(writeSecret(SEED), 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  const seed = newSeed()
  t.strictSame([seed.length, seedOf(writeSecret(seed))], [20, seed])
  t.notSame(newSeed(), seed)
  const uri = 'otpauth://totp/id.example:ada%2Bx%3Fy%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=id.example&algorithm=SHA1&digits=6&period=30'
  t.equal(uriOf(SEED, { email: 'ada+x?y@example.com', issuer: 'https://id.example:8443/tenant' }), uri)
})
