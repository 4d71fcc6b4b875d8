// What is issued for a family: tokens that tell of it, with its place in a status list where there are any.
import t from 'tap'
import type { Family } from '../../src/core/families.js'
import { readRefreshToken } from '../../src/core/refresh-token.js'
import { Issuing } from '../../src/services/issuing.js'
import { claimsOf, openOAuth } from './oauth-parts.js'
import { DEVICE, ISSUER, NOW, STATUS_LISTS } from './parts.js'

const FAMILY: Family = { id: '00000000-0000-4000-8000-000000000001', generation: 7, createdAt: NOW - 4_500_000, advancedAt: NOW - 1000, ...DEVICE, grant: { clientId: 'client', scope: 'openid read', audience: ['one', 'two'], authenticatedAt: NOW - 4_600_000 } }

t.test('a log-in\'s access token tells when it began, and a client\'s when the user proved the password', async t => {
  const { parts, user } = await openOAuth(t, { places: undefined })
  const issuing = new Issuing(parts)
  const common = { iss: ISSUER, sub: user.id, sid: FAMILY.id, iat: NOW / 1000, exp: NOW / 1000 + 600 }
  const { jti: _, ...own } = claimsOf(await issuing.accessToken(user, FAMILY, NOW))
  t.strictSame(own, { ...common, aud: 'api', client_id: 'web', auth_time: NOW / 1000 - 4500 })
  const { jti: __, ...clients } = claimsOf(await issuing.clientToken(user, FAMILY, { clientId: 'client', audience: ['two'], scope: 'read' }, NOW))
  t.strictSame(clients, { ...common, aud: 'two', client_id: 'client', auth_time: NOW / 1000 - 4600, scope: 'read' })
  const subject = { id: user.id, roles: ['admin', 'billing:read'] }
  for (const token of [issuing.accessToken(subject, FAMILY, NOW), issuing.clientToken(subject, FAMILY, { clientId: 'client', audience: ['two'], scope: 'read' }, NOW)]) t.strictSame(claimsOf(await token)['roles'], subject.roles)
})

t.test('a refresh token is of the family as it stands, for as long as that lives', async t => {
  const { parts, user, keyRing } = await openOAuth(t)
  const { refreshToken, refreshTokenExpiresIn } = new Issuing(parts).refreshToken(user.id, FAMILY, NOW)
  t.strictSame(readRefreshToken(refreshToken, keyRing.findSecret), { userId: user.id, familyId: FAMILY.id, generation: 7 })
  t.equal(refreshTokenExpiresIn, 500, 'the absolute age comes before idleness')
})

t.test('a family without a place gets one with its next token, once, and one that was closed meanwhile gets none', async t => {
  const { parts, store, user } = await openOAuth(t)
  const issuing = new Issuing(parts)
  const other = { ...user, id: '00000000-0000-4000-8000-000000000002', email: 'other@example.com', families: [FAMILY] }
  await store.insertUser(other)
  const statusOf = async (token: Promise<string>) => claimsOf(await token)['status']
  const first = await statusOf(issuing.clientToken(other, FAMILY, { clientId: 'client', audience: ['one'], scope: '' }, NOW))
  t.match(first, { status_list: { uri: `${STATUS_LISTS}/0` } })
  t.strictSame(await statusOf(issuing.clientToken(other, FAMILY, { clientId: 'client', audience: ['one'], scope: '' }, NOW)), first)
  const [family] = (await store.findUser(other.id))!.families
  t.strictSame(await statusOf(issuing.accessToken(other, family!, NOW)), first)
  const closed = { ...FAMILY, id: '00000000-0000-4000-8000-000000000003' }
  for (const token of [issuing.accessToken(other, closed, NOW), issuing.clientToken(other, closed, { clientId: 'client', audience: ['one'], scope: '' }, NOW)]) await t.rejects(token, { code: 'invalid_grant' })
})
