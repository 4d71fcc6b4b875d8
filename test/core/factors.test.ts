// What counts as a second factor, and as none.
import t from 'tap'
import { changed, hasFactor, isSpent, methodsOf, spend, versionOf, type Factors } from '../../src/core/factors.js'

const none: Factors = { version: 3, passkeys: [], recoveryCodes: ['hash'], spent: [] }
const passkey = { id: 'id', publicKey: 'key', counter: 0, transports: [], name: 'phone', addedAt: 1, lastUsedAt: null, isBackedUp: true }

t.test('an authenticator app is a factor, and so is a passkey; recovery codes alone are none', async t => {
  t.strictSame([undefined, none, { ...none, totp: { seed: 'sealed', addedAt: 1, lastStep: 0 } }, { ...none, passkeys: [passkey] }].map(hasFactor), [false, false, true, true])
})

t.test('who never had any has version 0 of them', async t => {
  t.strictSame([undefined, none].map(versionOf), [0, 3])
})

const totp = { seed: 'sealed', addedAt: 1, lastStep: 0 }

t.test('a log-in may take what there is, and recovery codes where they stand in for something', async t => {
  t.strictSame([undefined, none, { ...none, totp }, { ...none, totp, passkeys: [passkey] }, { ...none, passkeys: [passkey], recoveryCodes: [] }].map(methodsOf), [[], [], ['totp', 'recovery_code'], ['totp', 'passkey', 'recovery_code'], ['passkey']])
})

t.test('a change makes the next version, and takes the recovery codes along with the last factor', async t => {
  const first = changed(undefined, { totp, recoveryCodes: ['hash'] })
  t.strictSame(first, { version: 1, totp, passkeys: [], recoveryCodes: ['hash'], spent: [] })
  const second = changed(first, { passkeys: [passkey] })
  t.strictSame(second, { ...first, version: 2, passkeys: [passkey] })
  t.strictSame(changed(second, { totp: undefined }), { version: 3, passkeys: [passkey], recoveryCodes: ['hash'], spent: [] })
  t.strictSame(changed(first, { totp: undefined }), { version: 2, passkeys: [], recoveryCodes: [], spent: [] })
})

t.test('what was spent is remembered until it is over, and not without end', async t => {
  const once = spend(none, { id: 'one', until: 200 }, 100)
  t.strictSame(once, { ...none, spent: [{ id: 'one', until: 200 }] })
  t.strictSame([isSpent(undefined, { id: 'one', until: 200 }), isSpent(none, { id: 'one', until: 200 }), isSpent(once, { id: 'one', until: 200 }), isSpent(once, { id: 'two', until: 200 })], [false, false, true, false])
  t.strictSame(spend(once, { id: 'two', until: 300 }, 199).spent, [{ id: 'one', until: 200 }, { id: 'two', until: 300 }])
  t.strictSame(spend(once, { id: 'two', until: 300 }, 200).spent, [{ id: 'two', until: 300 }])
})

t.test('what had to go to make room stays spent, in whatever order it came', t => {
  const all = Array.from({ length: 150 }, (_, at) => ({ id: String(at), until: 1_000 + at * 7 % 150 }))
  const many = all.reduce((factors, one) => spend(factors, one, 0), none)
  t.equal(many.spent.length, 100)
  t.strictSame(all.filter(one => !isSpent(many, one)), [])
  t.equal(isSpent(many, { id: 'new', until: 2_000 }), false)
  const later = spend(many, { id: 'new', until: 2_000 }, 1_100)
  t.strictSame(all.filter(one => one.until > 1_100 && !isSpent(later, one)), [], 'as long as it is good')
  t.end()
})
