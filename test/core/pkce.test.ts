// PKCE by S256: the example of RFC 7636, and what is only like it.
import { hash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { isChallenge, isVerifierOf } from '../../src/core/pkce.js'

// RFC 7636, appendix B.
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

t.test('the verifier of RFC 7636, appendix B, is that of its challenge, and no other is', async t => {
  t.ok(isChallenge(CHALLENGE))
  t.ok(isVerifierOf(CHALLENGE, VERIFIER))
  for (const wrong of ['', CHALLENGE, VERIFIER.toLowerCase(), `${VERIFIER}=`, `${VERIFIER}\n`, VERIFIER.slice(1), VERIFIER.replace('k', 'l')]) t.notOk(isVerifierOf(CHALLENGE, wrong), wrong)
})

t.test('a challenge is a SHA-256 in base64url, spelled in its one way', async t => {
  for (const wrong of ['', `${CHALLENGE}=`, CHALLENGE.slice(1), `${CHALLENGE}a`, CHALLENGE.replace('-', '+'), CHALLENGE.replace('-', ' '), `${CHALLENGE}\n`, `${CHALLENGE.slice(0, -1)}N`]) t.notOk(isChallenge(wrong), wrong)
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes => isChallenge(Buffer.from(bytes).toString('base64url'))))
})

t.test('a verifier has 43 to 128 characters of those that RFC 7636, section 4.1, allows', async t => {
  const challengeOf = (verifier: string) => hash('sha256', verifier, 'base64url')
  for (const good of ['a'.repeat(43), 'a'.repeat(128), `${'-._~'.repeat(10)}aZ9`]) t.ok(isVerifierOf(challengeOf(good), good), good)
  for (const wrong of ['a'.repeat(42), 'a'.repeat(129), `${'a'.repeat(43)} `, `${'a'.repeat(43)}+`, `${'a'.repeat(43)}é`, `${'a'.repeat(43)}\n`]) t.notOk(isVerifierOf(challengeOf(wrong), wrong), wrong)
})
