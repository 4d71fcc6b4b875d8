// The end of a session that a client asks for: who is sent where, who is asked first, and what ends.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { seal } from '../../src/core/seals.js'
import type { LogOut } from '../../src/services/log-outs.js'
import { claimsOf, openOAuth, parametersOf } from './oauth-parts.js'
import { DEVICE, NOW } from './parts.js'

const BYE = 'https://app.example/bye'

t.test('a log-out may name a client, an address that it registered, and a state for that', async t => {
  const { addClient, logOuts, letIn, user } = await openOAuth(t)
  const client = await addClient()
  const { accessToken, idToken } = await letIn(client)
  const hint = { userId: user.id, familyId: claimsOf(accessToken)['sid'], clientId: client.id }
  const read = async (pairs: Record<string, string>) => await logOuts.read(parametersOf(pairs), NOW)
  t.strictSame(await read({}), { client: undefined, hint: undefined, location: undefined })
  t.strictSame(await read({ state: 's', client_id: client.id }), { client, hint: undefined, location: undefined })
  t.strictSame(await read({ post_logout_redirect_uri: BYE, client_id: client.id }), { client, hint: undefined, location: { uri: BYE, state: undefined } })
  t.strictSame(await read({ post_logout_redirect_uri: BYE, state: 's', id_token_hint: idToken! }), { client, hint, location: { uri: BYE, state: 's' } })
  t.strictSame(await read({ client_id: client.id, id_token_hint: idToken! }), { client, hint, location: undefined })
})

t.test('an ID token by a key that is no more says which client asks, as a client_id does, and nothing of a log-in', async t => {
  const { addClient, logOuts, letIn } = await openOAuth(t)
  const [client, other] = [await addClient(), await addClient()]
  const { idToken } = await letIn(client)
  const old = `${idToken!.slice(0, -4)}AAAA`
  const read = async (pairs: Record<string, string>) => await logOuts.read(parametersOf(pairs), NOW)
  t.strictSame(await read({ post_logout_redirect_uri: BYE, id_token_hint: old }), { client, hint: undefined, location: { uri: BYE, state: undefined } })
  t.match(await read({ client_id: other.id, id_token_hint: old }), { client: other, hint: undefined })
  for (const hint of ['', 'nonsense', `a.${Buffer.from('null').toString('base64url')}.a`, `a.${Buffer.from('{}').toString('base64url')}.a`]) t.strictSame(await read({ id_token_hint: hint }), { client: undefined, hint: undefined, location: undefined }, hint)
})

t.test('nobody is sent to an address that is not the client\'s, or by the ID token of another', async t => {
  const { addClient, logOuts, letIn } = await openOAuth(t)
  const [client, other] = [await addClient(), await addClient({ postLogoutRedirectUris: ['https://other.example/bye'] })]
  const { idToken } = await letIn(client)
  const read = async (pairs: Record<string, string>, repeated: string[] = []) => await logOuts.read({ ...parametersOf(pairs), repeated }, NOW)
  for (const uri of [`${BYE}/`, `${BYE}?a=1`, 'https://app.example/cb', 'https://evil.example/bye', 'https://other.example/bye', 'javascript:alert(1)']) {
    t.equal(await read({ post_logout_redirect_uri: uri, client_id: client.id }), undefined, uri)
    t.equal(await read({ post_logout_redirect_uri: uri, id_token_hint: idToken! }), undefined, uri)
  }
  t.equal(await read({ post_logout_redirect_uri: BYE }), undefined, 'of nobody')
  t.equal(await read({ post_logout_redirect_uri: BYE, client_id: randomUUID() }), undefined, 'of a client that there is not')
  t.equal(await read({ client_id: other.id, id_token_hint: idToken! }), undefined)
  t.equal(await read({ client_id: client.id }, ['client_id']), undefined, 'said twice')
})

t.test('an ID token tells of its log-in however old it is, and what is none of ours tells nothing', async t => {
  const { addClient, logOuts, letIn, keyRing, stands } = await openOAuth(t)
  const client = await addClient()
  const { accessToken, idToken } = await letIn(client)
  const read = async (hint: string, now = NOW) => (await logOuts.read(parametersOf({ id_token_hint: hint }), now))?.hint
  t.match(await read(idToken!, NOW + 1e10), { userId: (await stands()).id, clientId: client.id })
  for (const hint of ['nonsense', accessToken, `${idToken}a`, await keyRing.signIdToken({ iss: 'https://another.example', sub: 'a', sid: 'b', aud: client.id })]) t.equal(await read(hint), undefined)
})

t.test('nobody is asked where there is no log-in, or where the client knows whose it is', async t => {
  const { logOuts, logIn, user } = await openOAuth(t)
  const session = await logIn()
  const asked = (userId?: string): LogOut => ({ client: undefined, location: undefined, hint: userId === undefined ? undefined : { userId, familyId: randomUUID(), clientId: randomUUID() } })
  t.ok(logOuts.isUnasked(asked(), undefined))
  t.ok(logOuts.isUnasked(asked(user.id), session))
  t.notOk(logOuts.isUnasked(asked(), session))
  t.notOk(logOuts.isUnasked(asked(randomUUID()), session), 'somebody else\'s')
})

t.test('a log-out ends the log-in of the browser and the family that the ID token tells of, and no other', async t => {
  const { addClient, logOuts, letIn, logIn, login, stands } = await openOAuth(t, { maxActive: 10 })
  const [client, other] = [await addClient(), await addClient()]
  const session = await logIn()
  await login()
  const [answer] = [await letIn(client, {}, NOW, session), await letIn(other, {}, NOW, session), await letIn(client, {}, NOW, session)]
  const before = await stands()
  const asked = (await logOuts.read(parametersOf({ id_token_hint: answer.idToken! }), NOW))!
  await logOuts.end(asked, session, DEVICE, NOW)
  const ended = [session.family.id, claimsOf(answer.accessToken)['sid']]
  t.strictSame(new Set((await stands()).families), new Set(before.families.filter(({ id }) => !ended.includes(id))))
  await t.resolves(logOuts.end(asked, undefined, DEVICE, NOW), 'and what has ended has ended')
})

t.test('an ID token ends no family but that of its client', async t => {
  const { logOuts, login, stands, user, logIn } = await openOAuth(t)
  await login()
  const { family } = await logIn()
  const before = await stands()
  for (const hint of [{ userId: user.id, familyId: family.id, clientId: randomUUID() }, { userId: user.id, familyId: randomUUID(), clientId: 'web' }, { userId: randomUUID(), familyId: family.id, clientId: 'web' }]) await logOuts.end({ hint }, undefined, DEVICE, NOW)
  t.strictSame(await stands(), before)
})

t.test('a decision is good for ten minutes, for the log-in that was asked, and then ends what was asked for', async t => {
  const { addClient, logOuts, letIn, logIn, keyRing, accounts, tokens, authorizations, store, stands, grants } = await openOAuth(t, { maxActive: 10 })
  const client = await addClient()
  const { idToken } = await letIn(client)
  const bob = await accounts.register({ email: 'bob@example.com', password: 'another long password', name: null }, DEVICE, NOW)
  const session = (await authorizations.session((await tokens.open(bob, bob.passwordHash, DEVICE, NOW))!.refreshToken, NOW))!
  const asked = (await logOuts.read(parametersOf({ post_logout_redirect_uri: BYE, state: 's', id_token_hint: idToken! }), NOW))!
  t.notOk(logOuts.isUnasked(asked, session), 'Bob is asked, where the client means Ada')
  const decision = await logOuts.ask(asked, session, NOW)
  const before = [await stands(), await store.findUser(bob.id)]
  t.equal(await logOuts.confirm(decision, await logIn(), DEVICE, NOW), undefined, 'somebody else\'s')
  t.equal(await logOuts.confirm(decision, session, DEVICE, NOW + 600_000), undefined)
  for (const wrong of ['', 'nonsense', `${decision}a`, await seal('decision', { session: session.family.id, asked, expiresAt: NOW + 1 }, keyRing.refreshSecret)]) t.equal(await logOuts.confirm(wrong, session, DEVICE, NOW), undefined)
  t.strictSame([{ ...await stands(), families: before[0]!.families }, await store.findUser(bob.id)], before)
  t.equal((await grants()).length, 1)
  t.strictSame(await logOuts.confirm(decision, session, DEVICE, NOW + 599_999), { location: { uri: BYE, state: 's' } })
  t.strictSame((await store.findUser(bob.id))?.families, [])
  t.strictSame(await grants(), [], 'and what the client was let do by Ada')
})

t.test('a decision without an address leads nowhere', async t => {
  const { logOuts, logIn, stands } = await openOAuth(t)
  const session = await logIn()
  const decision = await logOuts.ask({ client: undefined, hint: undefined, location: undefined }, session, NOW)
  t.strictSame(await logOuts.confirm(decision, session, DEVICE, NOW), { location: undefined })
  t.strictSame((await stands()).families, [])
})
