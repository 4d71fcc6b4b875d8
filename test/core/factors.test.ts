// What counts as a second factor, and as none.
import t from 'tap'
import { hasFactor, versionOf, type Factors } from '../../src/core/factors.js'

const none: Factors = { version: 3, passkeys: [], recoveryCodes: ['hash'], spent: [] }
const passkey = { id: 'id', publicKey: 'key', counter: 0, transports: [], name: 'phone', addedAt: 1, lastUsedAt: null, isBackedUp: true }

t.test('an authenticator app is a factor, and so is a passkey; recovery codes alone are none', async t => {
  t.strictSame([undefined, none, { ...none, totp: { seed: 'sealed', addedAt: 1, lastStep: 0 } }, { ...none, passkeys: [passkey] }].map(hasFactor), [false, false, true, true])
})

t.test('who never had any has version 0 of them', async t => {
  t.strictSame([undefined, none].map(versionOf), [0, 3])
})
