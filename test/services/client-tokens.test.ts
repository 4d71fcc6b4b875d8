// What clients get for codes and refresh tokens, and for themselves; what a token is worth to whom; and its end.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { API, claimsOf, openOAuth, OTHER_API, TTL_MS } from './oauth-parts.js'
import { DEVICE, ISSUER, NOW, STATUS_LISTS } from './parts.js'

const ALL = { scope: undefined, resources: undefined }
const BAD = { code: 'invalid_grant', status: 400 }
const NOBODY = { active: false }

t.test('a client is answered with what it was let do, and for how long', async t => {
  const { addClient, letIn, grants, user } = await openOAuth(t)
  const client = await addClient()
  const answer = await letIn(client, { scope: 'openid email offline_access read', nonce: 'n' })
  const [family] = await grants()
  const { accessToken, idToken, refreshToken, ...rest } = answer
  t.strictSame(rest, { expiresIn: 600, scope: 'openid email offline_access read', refreshTokenExpiresIn: 1000 })
  t.match(refreshToken, /^A[\w-]{102}$/)
  const { jti, status, ...claims } = claimsOf(accessToken)
  t.strictSame(claims, { iss: ISSUER, aud: API, sub: user.id, client_id: client.id, sid: family!.id, iat: NOW / 1000, exp: NOW / 1000 + 600, auth_time: NOW / 1000, scope: 'openid email offline_access read' })
  t.match({ jti, status }, { jti: /^[\da-f-]{36}$/, status: { status_list: { uri: `${STATUS_LISTS}/0` } } })
  t.match(claimsOf(idToken), { iss: ISSUER, aud: client.id, sub: user.id, sid: family!.id, nonce: 'n', email: 'ada@example.com', email_verified: false, auth_time: NOW / 1000 })
})

t.test('without offline_access, or without the grant type, there is no refresh token; without openid no ID token', async t => {
  const { addClient, letIn } = await openOAuth(t)
  t.strictSame(Object.keys(await letIn(await addClient(), { scope: 'openid read' })), ['accessToken', 'expiresIn', 'scope', 'idToken'])
  t.strictSame(Object.keys(await letIn(await addClient({ grantTypes: ['authorization_code'] }), { scope: 'offline_access read' })), ['accessToken', 'expiresIn', 'scope'])
  t.strictSame(Object.keys(await letIn(await addClient(), { scope: 'offline_access read' })), ['accessToken', 'expiresIn', 'scope', 'refreshToken', 'refreshTokenExpiresIn'])
})

t.test('a refresh moves the client\'s family, and its ID token tells of the same log-in without the nonce', async t => {
  const { addClient, letIn, clientTokens } = await openOAuth(t)
  const client = await addClient()
  const first = await letIn(client, { nonce: 'n' })
  const second = await clientTokens.refresh(client, first.refreshToken!, ALL, DEVICE, NOW + 5000)
  t.not(second.refreshToken, first.refreshToken)
  t.equal(second.scope, first.scope)
  const [before, after] = [claimsOf(first.idToken), claimsOf(second.idToken)]
  t.strictSame({ ...after, iat: before['iat'], exp: before['exp'], at_hash: before['at_hash'], nonce: 'n' }, before)
  t.equal(after['iat'], NOW / 1000 + 5)
  t.equal(claimsOf(second.accessToken)['sid'], claimsOf(first.accessToken)['sid'])
  t.equal((await clientTokens.refresh(client, first.refreshToken!, ALL, DEVICE, NOW + 5001)).refreshToken, second.refreshToken, 'within the grace it is repeated')
})

t.test('a used refresh token of a client closes its family', async t => {
  const { addClient, letIn, clientTokens, grants, signs } = await openOAuth(t)
  const client = await addClient()
  const first = await letIn(client)
  const second = await clientTokens.refresh(client, first.refreshToken!, ALL, DEVICE, NOW)
  await t.rejects(clientTokens.refresh(client, first.refreshToken!, ALL, DEVICE, NOW + 30_000), BAD)
  await t.rejects(clientTokens.refresh(client, second.refreshToken!, ALL, DEVICE, NOW + 30_001), BAD)
  t.strictSame(await grants(), [])
  t.match(signs, [{ kind: 'refresh.reused', clientId: client.id, details: { generation: 0 } }])
})

t.test('a refresh token at another client\'s door, at Signet\'s own, or a log-in\'s own at a client\'s, is refused, and nothing is changed, used or not', async t => {
  const { addClient, letIn, clientTokens, tokens, login, stands, signs } = await openOAuth(t)
  const [client, other] = [await addClient(), await addClient()]
  const [own, clients] = [await login(), await letIn(client)]
  const attempts = async (now: number) => {
    const before = await stands()
    for (const wish of [ALL, { scope: 'read', resources: undefined }, { scope: 'nothing', resources: ['urn:nothing'] }]) {
      await t.rejects(clientTokens.refresh(other, clients.refreshToken!, wish, DEVICE, now), BAD)
      await t.rejects(clientTokens.refresh(client, own.refreshToken, wish, DEVICE, now), BAD)
    }
    await t.rejects(tokens.refresh(clients.refreshToken!, DEVICE, now), { code: 'invalid_grant' })
    t.strictSame(await stands(), before)
  }
  await attempts(NOW)
  const [nextOwn, nextClients] = [await tokens.refresh(own.refreshToken, DEVICE, NOW), await clientTokens.refresh(client, clients.refreshToken!, ALL, DEVICE, NOW)]
  await attempts(NOW + 60_000)
  t.strictSame(signs, [])
  await t.resolves(tokens.refresh(nextOwn.refreshToken, DEVICE, NOW + 60_000))
  await t.resolves(clientTokens.refresh(client, nextClients.refreshToken!, ALL, DEVICE, NOW + 60_000))
})

t.test('64 racing refreshes of a client all get the same successor', async t => {
  const { addClient, letIn, clientTokens } = await openOAuth(t)
  const client = await addClient()
  const { refreshToken } = await letIn(client)
  const answers = await Promise.all(Array.from({ length: 64 }, async () => await clientTokens.refresh(client, refreshToken!, ALL, DEVICE, NOW)))
  t.equal(new Set(answers.map(answer => answer.refreshToken)).size, 1)
})

t.test('a refresh may ask for less, once, and what it may not have is refused and leaves the token good', async t => {
  const { addClient, authorizations, logIn, request, redeem, clientTokens, stands } = await openOAuth(t)
  const client = await addClient()
  const step = await authorizations.next({ ...request(client), audience: [API, OTHER_API] }, await logIn(), undefined, DEVICE, NOW)
  const both = await redeem(client, (step as { code: string }).code)
  t.strictSame(claimsOf(both.accessToken)['aud'], [API, OTHER_API])
  const before = await stands()
  for (const scope of ['openid write', 'read admin', ' ', 'READ']) await t.rejects(clientTokens.refresh(client, both.refreshToken!, { scope, resources: undefined }, DEVICE, NOW), { code: 'invalid_scope' }, scope)
  for (const resource of ['urn:stranger', ISSUER, `${API}/`]) await t.rejects(clientTokens.refresh(client, both.refreshToken!, { scope: undefined, resources: [API, resource] }, DEVICE, NOW), { code: 'invalid_target' }, resource)
  t.strictSame(await stands(), before)
  const less = await clientTokens.refresh(client, both.refreshToken!, { scope: 'read', resources: [OTHER_API] }, DEVICE, NOW)
  t.match({ ...less, ...claimsOf(less.accessToken) }, { scope: 'read', aud: OTHER_API })
  t.notOk('idToken' in less)
  const all = await clientTokens.refresh(client, less.refreshToken!, ALL, DEVICE, NOW)
  t.match({ ...all, ...claimsOf(all.accessToken) }, { scope: 'openid offline_access read', aud: [API, OTHER_API] }, 'the whole of it is there still')
})

t.test('a refresh gives what the record has still, and nothing where nothing is left', async t => {
  const { addClient, letIn, clientTokens } = await openOAuth(t)
  const client = await addClient()
  let { refreshToken } = await letIn(client, { scope: 'offline_access read write' })
  const refresh = async (changes: Partial<typeof client>) => {
    const answer = await clientTokens.refresh({ ...client, ...changes }, refreshToken!, ALL, DEVICE, NOW)
    refreshToken = answer.refreshToken ?? refreshToken
    return answer.scope
  }
  t.equal(await refresh({ scopes: ['write'] }), 'offline_access write')
  t.equal(await refresh({}), 'offline_access read write')
  await t.rejects(refresh({ grantTypes: ['authorization_code'] }), { code: 'unauthorized_client' })
  await t.rejects(refresh({ audiences: [] }), { code: 'invalid_target' })
  t.equal(await refresh({}), 'offline_access read write', 'within the grace')
})

t.test('what is no refresh token, or one of nobody, is bad', async t => {
  const { addClient, letIn, clientTokens, store, user, parts } = await openOAuth(t)
  const client = await addClient()
  const { accessToken, refreshToken } = await letIn(client)
  for (const wrong of ['', 'nonsense', accessToken]) for (const wish of [ALL, { scope: 'read', resources: undefined }]) await t.rejects(clientTokens.refresh(client, wrong, wish, DEVICE, NOW), BAD)
  await store.closeAllFamilies({ userId: user.id, live: { createdAfter: 0, advancedAfter: 0 }, closing: { at: NOW, countsAfter: NOW - parts.closingRetention } })
  await t.rejects(clientTokens.refresh(client, refreshToken!, { scope: 'read', resources: undefined }, DEVICE, NOW), BAD)
})

t.test('a client has tokens for itself, of its own scopes, for its audiences, and of no log-in', async t => {
  const { addClient, clientTokens } = await openOAuth(t)
  const client = await addClient()
  const answer = await clientTokens.own(client, ALL, NOW)
  t.strictSame({ ...answer, accessToken: '' }, { accessToken: '', expiresIn: 600, scope: 'read write' })
  const { jti, ...claims } = claimsOf(answer.accessToken)
  t.strictSame(claims, { iss: ISSUER, aud: API, sub: client.id, client_id: client.id, iat: NOW / 1000, exp: NOW / 1000 + 600, scope: 'read write' })
  t.match(jti, /^[\da-f-]{36}$/)
  t.match(claimsOf((await clientTokens.own(client, { scope: 'write', resources: [OTHER_API, API] }, NOW)).accessToken), { scope: 'write', aud: [OTHER_API, API] })
  for (const scope of ['openid', 'write admin', 'offline_access']) await t.rejects(clientTokens.own(client, { scope, resources: undefined }, NOW), { code: 'invalid_scope' }, scope)
  await t.rejects(clientTokens.own(client, { scope: undefined, resources: ['urn:stranger'] }, NOW), { code: 'invalid_target' })
  await t.rejects(clientTokens.own({ ...client, grantTypes: ['authorization_code'] }, ALL, NOW), { code: 'unauthorized_client' })
  const bare = await addClient({ scopes: [], audiences: [] })
  t.match(await clientTokens.own(bare, ALL, NOW), { scope: '' })
  t.equal(claimsOf((await clientTokens.own(bare, { scope: undefined, resources: [ISSUER] }, NOW)).accessToken)['aud'], ISSUER)
})

t.test('an access token is live as long as it has not expired, and its log-in and its client are there', async t => {
  const { addClient, letIn, clientTokens, login, user, store, tokens, logIn, stands } = await openOAuth(t, { maxActive: 20 })
  const client = await addClient()
  const { accessToken } = await letIn(client)
  t.match(await clientTokens.live(accessToken, NOW), { claims: { client_id: client.id }, user: { id: user.id } })
  t.equal(await clientTokens.live(accessToken, NOW + TTL_MS), undefined)
  const own = await login()
  t.match(await clientTokens.live(own.accessToken, NOW), { claims: { client_id: 'web' }, user: { id: user.id } })
  const itself = (await clientTokens.own(client, ALL, NOW)).accessToken
  t.strictSame((await clientTokens.live(itself, NOW))?.user, undefined)
  t.match(await clientTokens.live(itself, NOW), { claims: { sub: client.id } })
  for (const wrong of ['', 'nonsense', `${accessToken}a`, own.refreshToken]) t.equal(await clientTokens.live(wrong, NOW), undefined)
  const session = await logIn()
  const closed = await letIn(client, {}, NOW, session)
  await tokens.close({ user: await stands(), familyId: session.family.id }, claimsOf(closed.accessToken)['sid'] as string, NOW)
  t.equal(await clientTokens.live(closed.accessToken, NOW), undefined)
  await store.removeClient(client.id)
  t.ok(await clientTokens.live(accessToken, NOW + 2999), 'within the three seconds that a record is remembered')
  t.equal(await clientTokens.live(accessToken, NOW + 3000), undefined)
  t.equal(await clientTokens.live(itself, NOW + 3000), undefined)
})

t.test('a client is told of its user what its token lets it know', async t => {
  const { addClient, letIn, clientTokens, login, user } = await openOAuth(t, { maxActive: 20 })
  const client = await addClient()
  t.strictSame(await clientTokens.userInfo((await letIn(client, { scope: 'openid email' })).accessToken, NOW), { sub: user.id, email: 'ada@example.com', email_verified: false })
  t.strictSame(await clientTokens.userInfo((await letIn(client, { scope: 'openid profile' })).accessToken, NOW), { sub: user.id })
  for (const token of [(await letIn(client, { scope: 'email read' })).accessToken, (await clientTokens.own(client, ALL, NOW)).accessToken, (await login()).accessToken]) await t.rejects(clientTokens.userInfo(token, NOW), { code: 'insufficient_scope' })
  for (const token of ['nonsense', (await letIn(client)).refreshToken!]) await t.rejects(clientTokens.userInfo(token, NOW), { code: 'invalid_token' })
})

t.test('a token is told of to the client that it was issued to, or that it is for, and to nobody else', async t => {
  const { addClient, letIn, clientTokens, user, login } = await openOAuth(t)
  const [client, api, stranger] = [await addClient(), await addClient({ audiences: [OTHER_API, API] }), await addClient({ audiences: ['https://stranger.example'] })]
  const { accessToken, refreshToken } = await letIn(client)
  const itself = (await clientTokens.own(client, ALL, NOW)).accessToken
  for (const token of [accessToken, itself]) {
    for (const who of [client, api]) t.strictSame(await clientTokens.introspect(who, token, NOW), { active: true, token_type: 'Bearer', ...claimsOf(token) })
    t.strictSame(await clientTokens.introspect(stranger, token, NOW), NOBODY)
    t.strictSame(await clientTokens.introspect(client, token, NOW + TTL_MS), NOBODY)
  }
  t.strictSame(await clientTokens.introspect(client, refreshToken!, NOW), { active: true, client_id: client.id, scope: 'openid offline_access read', sub: user.id, aud: [API], iss: ISSUER, exp: NOW / 1000 + 1000 })
  for (const who of [api, stranger]) t.strictSame(await clientTokens.introspect(who, refreshToken!, NOW), NOBODY)
  for (const token of ['', 'nonsense', (await login()).accessToken, (await login()).refreshToken]) t.strictSame(await clientTokens.introspect(client, token, NOW), NOBODY)
})

t.test('a used refresh token is worth nothing, and to ask changes nothing', async t => {
  const { addClient, letIn, clientTokens, stands } = await openOAuth(t)
  const client = await addClient()
  const { refreshToken } = await letIn(client)
  await clientTokens.refresh(client, refreshToken!, ALL, DEVICE, NOW)
  const before = await stands()
  t.match(await clientTokens.introspect(client, refreshToken!, NOW + 29_999), { active: true }, 'within the grace it is good')
  t.strictSame(await clientTokens.introspect(client, refreshToken!, NOW + 30_000), NOBODY)
  t.strictSame(await stands(), before)
})

t.test('a client ends its family by any token of it, and the tokens of others are refused and stay', async t => {
  const { addClient, letIn, clientTokens, login, grants, stands } = await openOAuth(t, { maxActive: 20 })
  const [client, other] = [await addClient(), await addClient()]
  for (const which of ['accessToken', 'refreshToken'] as const) {
    const answer = await letIn(client)
    const before = await stands()
    await t.rejects(clientTokens.revoke(other, answer[which]!, NOW), BAD)
    t.strictSame(await stands(), before)
    await clientTokens.revoke(client, answer[which]!, NOW)
    t.strictSame(await grants(), [], which)
    t.equal(await clientTokens.live(answer.accessToken, NOW), undefined)
    t.strictSame((await stands()).closed?.at(-1)?.id, claimsOf(answer.accessToken)['sid'])
    await t.resolves(clientTokens.revoke(client, answer[which]!, NOW), 'and again')
  }
  const own = await login()
  const itself = (await clientTokens.own(client, ALL, NOW)).accessToken
  const { idToken } = await letIn(client)
  const before = await stands()
  for (const token of [own.accessToken, own.refreshToken]) await t.rejects(clientTokens.revoke(client, token, NOW), BAD)
  await t.rejects(clientTokens.revoke(other, itself, NOW), BAD)
  await t.rejects(clientTokens.revoke(client, itself, NOW), { code: 'unsupported_token_type' })
  for (const token of ['', 'nonsense', randomUUID(), idToken!]) await t.resolves(clientTokens.revoke(client, token, NOW))
  t.strictSame(await stands(), before)
})

t.test('a used refresh token ends its family as well, for whoever has it has had a token of the client', async t => {
  const { addClient, letIn, clientTokens, grants } = await openOAuth(t)
  const client = await addClient()
  const { refreshToken } = await letIn(client)
  await clientTokens.refresh(client, refreshToken!, ALL, DEVICE, NOW)
  await clientTokens.revoke(client, refreshToken!, NOW + 60_000)
  t.strictSame(await grants(), [])
})

t.test('a client\'s tokens of a user have the roles of when they were made, and who asks about one is told those of now', async t => {
  const { addClient, letIn, clientTokens, store, user } = await openOAuth(t)
  const client = await addClient()
  await store.setRoles({ userId: user.id, roles: ['admin', 'staff'] })
  const { accessToken, refreshToken } = await letIn(client)
  t.strictSame(claimsOf(accessToken)['roles'], ['admin', 'staff'])
  await store.setRoles({ userId: user.id, roles: ['staff'] })
  t.strictSame(await clientTokens.introspect(client, accessToken, NOW), { active: true, token_type: 'Bearer', ...claimsOf(accessToken), roles: ['staff'] })
  t.strictSame(claimsOf((await clientTokens.refresh(client, refreshToken!, ALL, DEVICE, NOW)).accessToken)['roles'], ['staff'])
  await store.setRoles({ userId: user.id, roles: [] })
  t.notOk('roles' in await clientTokens.introspect(client, accessToken, NOW))
  t.notOk('roles' in claimsOf((await clientTokens.own(client, ALL, NOW)).accessToken))
})

t.test('nothing that a client has of a user outlives a disabling or a deletion: no token, no code, no session', async t => {
  for (const end of ['disableUser', 'deleteUser'] as const) {
    const { addClient, letIn, codeFor, redeem, logIn, login, authorizations, clientTokens, store, user } = await openOAuth(t, { maxActive: 20 })
    const client = await addClient()
    const [{ accessToken, refreshToken }, code, { refreshToken: cookie }] = [await letIn(client), await codeFor(client, {}, NOW, await logIn()), await login()]
    await store[end]({ userId: user.id, live: { createdAfter: 0, advancedAfter: 0 }, closing: { at: NOW, countsAfter: 0 } })
    for (const token of [accessToken, refreshToken!]) t.strictSame(await clientTokens.introspect(client, token, NOW), NOBODY, end)
    await t.rejects(clientTokens.userInfo(accessToken, NOW), { code: 'invalid_token' })
    await t.rejects(clientTokens.refresh(client, refreshToken!, ALL, DEVICE, NOW), BAD)
    await t.rejects(redeem(client, code), { code: 'invalid_grant' })
    t.equal(await authorizations.session(cookie, NOW), undefined)
    await store.enableUser(user.id)
    await t.rejects(redeem(client, code), { code: 'invalid_grant' }, 'which it is still when that is over')
    t.strictSame((await store.findUser(user.id))?.families ?? [], [])
  }
})
