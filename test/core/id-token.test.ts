// What an ID token says, and of a user to whom.
import t from 'tap'
import { idTokenClaims, userClaims } from '../../src/core/id-token.js'

const PERSON = { id: 'user', email: 'ada@example.com', name: 'Ada' }
const SETTINGS = { issuer: 'https://signet.example', ttl: 600 }
const SUBJECT = { clientId: 'client', familyId: 'family', authenticatedAt: 1_000_999, scope: ['openid'], accessToken: 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y' }

t.test('an ID token tells a client of one log-in, with the at_hash of the access token (the example of OpenID Connect Core 1.0, appendix A.4)', async t => {
  t.strictSame(idTokenClaims(PERSON, { ...SUBJECT, nonce: 'n-0S6_WzA2Mj' }, 2_000_999, SETTINGS), {
    iss: 'https://signet.example', sub: 'user', aud: 'client', exp: 2600, iat: 2000, auth_time: 1000, amr: ['pwd'], acr: 'http://idmanagement.gov/ns/assurance/aal/1', sid: 'family', at_hash: '77QmUPtjPfzWtF2AnpK9RQ', nonce: 'n-0S6_WzA2Mj',
  })
})

t.test('a nonce that was not sent is not there, and an empty one would be', async t => {
  t.notOk('nonce' in idTokenClaims(PERSON, SUBJECT, 0, SETTINGS))
  t.equal(idTokenClaims(PERSON, { ...SUBJECT, nonce: '' }, 0, SETTINGS)['nonce'], '')
})

t.test('an ID token says of the user what userinfo says, by the same scope', async t => {
  t.match(idTokenClaims(PERSON, { ...SUBJECT, scope: ['openid', 'profile', 'email'] }, 0, SETTINGS), { sub: 'user', aud: 'client', name: 'Ada', email: 'ada@example.com', email_verified: false })
})

t.test('a scope lets a client know what it is for, and a name that there is not is not said', async t => {
  t.strictSame(userClaims(PERSON, []), { sub: 'user' })
  t.strictSame(userClaims(PERSON, ['openid', 'address', 'Profile']), { sub: 'user' })
  t.strictSame(userClaims(PERSON, ['profile']), { sub: 'user', name: 'Ada' })
  t.strictSame(userClaims(PERSON, ['email']), { sub: 'user', email: 'ada@example.com', email_verified: false })
  t.strictSame(userClaims({ ...PERSON, name: null }, ['profile', 'email']), { sub: 'user', email: 'ada@example.com', email_verified: false })
  for (const emailVerified of [true, false]) t.match(userClaims({ ...PERSON, emailVerified }, ['email']), { email_verified: emailVerified })
})
