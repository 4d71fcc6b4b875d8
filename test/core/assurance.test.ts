// Levels of assurance: what a log-in reaches, and whether that is enough.
import t from 'tap'
import { accessTokenClaims, isAccessTokenClaims } from '../../src/core/access-token.js'
import { acrOf, ACR_VALUES, isAssured, readAcrValues } from '../../src/core/assurance.js'

const [ONE, TWO] = ACR_VALUES as [string, string]
const MFA = ['pwd', 'otp', 'mfa']

t.test('a password alone is the first level, and with a second factor it is the second', async t => {
  t.strictSame([acrOf(undefined), acrOf(['pwd']), acrOf(MFA), acrOf(['pop', 'user', 'mfa'])], [ONE, ONE, TWO, TWO])
})

t.test('of the levels that are asked for those count that there are, and any of them will do', async t => {
  t.strictSame([readAcrValues(), readAcrValues('1 2'), readAcrValues(`x ${TWO}`), readAcrValues(`${TWO} ${ONE} ${TWO}`)], [[], [], [TWO], [ONE, TWO]])
  t.strictSame([[], [ONE], [TWO], [ONE, TWO]].map(wanted => [isAssured(wanted, undefined), isAssured(wanted, MFA)]), [[true, true], [true, true], [false, true], [true, true]])
})

t.test('an access token says it where it was more than a password', async t => {
  const settings = { issuer: 'i', audience: 'a', clientId: 'c', ttl: 600 }
  const subject = { userId: 'u', familyId: 'f', authenticatedAt: 1000, roles: [] }
  const alone = accessTokenClaims(subject, 'id', 2000, settings)
  t.strictSame(Object.keys(alone).filter(name => ['amr', 'acr'].includes(name)), [])
  const claims = accessTokenClaims({ ...subject, amr: MFA }, 'id', 2000, settings)
  t.strictSame(claims, { ...alone, amr: MFA, acr: TWO })
  t.ok(isAccessTokenClaims(claims))
  for (const wrong of [{ amr: 'mfa' }, { amr: [1] }, { acr: 2 }]) t.notOk(isAccessTokenClaims({ ...claims, ...wrong }))
})
