// A presented refresh token, looked at or moved: for whom, and what is left untouched; its races and reuse are in token-service.test.ts and client-tokens.test.ts.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { readRefreshToken } from '../../src/core/refresh-token.js'
import { Rotation } from '../../src/services/rotation.js'
import { openOAuth } from './oauth-parts.js'
import { DEVICE, NOW } from './parts.js'

t.test('a look finds the log-in that a token stands for, the one that stands or the one before it, and moves nothing', async t => {
  const { parts, login, tokens, keyRing, stands } = await openOAuth(t)
  const rotation = new Rotation(parts)
  const { refreshToken } = await login()
  const claims = readRefreshToken(refreshToken, keyRing.findSecret)!
  await tokens.refresh(refreshToken, DEVICE, NOW)
  const before = await stands()
  for (const generation of [0, 1, 2]) t.strictSame(await rotation.look({ ...claims, generation }, NOW), { user: before, family: before.families[0] }, `${generation}`)
  for (const stranger of [{ userId: randomUUID() }, { familyId: randomUUID() }]) t.equal(await rotation.look({ ...claims, ...stranger }, NOW), undefined)
  t.strictSame(await stands(), before)
})

t.test('a look at a used token closes its log-in, and is recorded', async t => {
  const { parts, login, tokens, keyRing, stands, signs, user } = await openOAuth(t)
  const { refreshToken } = await login()
  const claims = readRefreshToken(refreshToken, keyRing.findSecret)!
  await tokens.refresh(refreshToken, DEVICE, NOW)
  t.equal(await new Rotation(parts).look(claims, NOW + 30_000), undefined)
  t.strictSame((await stands()).families, [])
  t.strictSame(signs, [{ kind: 'refresh.reused', at: NOW + 30_000, userId: user.id, clientId: undefined, familyId: claims.familyId, details: { generation: 0 } }])
})

t.test('a family moves as its client\'s, over a lost write, too, and as nobody else\'s', async t => {
  const { parts, addClient, letIn, keyRing, stands, signs } = await openOAuth(t)
  const rotation = new Rotation(parts)
  const client = await addClient()
  const claims = readRefreshToken((await letIn(client)).refreshToken!, keyRing.findSecret)!
  const before = await stands()
  for (const generation of [0, 1, 5]) for (const as of [undefined, '', randomUUID()]) t.equal(await rotation.advance({ ...claims, generation }, as, DEVICE, NOW), undefined)
  t.equal(await rotation.look(claims, NOW), undefined, 'and it is no log-in')
  t.strictSame(await stands(), before)
  t.match(await rotation.advance({ ...claims, generation: 5 }, client.id, DEVICE, NOW), { family: { id: claims.familyId, generation: 6, grant: { clientId: client.id } }, roles: [] })
  t.match(signs, [{ kind: 'refresh.ahead', clientId: client.id, details: { generation: 5, stored_generation: 0 } }])
})
