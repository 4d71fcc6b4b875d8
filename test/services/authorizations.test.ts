// The authorization endpoint: who is trusted, who has to log in, who is asked for consent, and what a decision is good for.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newFamily } from '../../src/core/families.js'
import { writeRefreshToken } from '../../src/core/refresh-token.js'
import { seal } from '../../src/core/seals.js'
import type { Step } from '../../src/services/authorizations.js'
import { claimsOf, openOAuth, OTHER_API, parametersOf, REDIRECT_URI } from './oauth-parts.js'
import { DEVICE, ISSUER, NOW } from './parts.js'

const LOG_IN = { kind: 'log-in' }
const LOGIN_REQUIRED = { kind: 'refusal', refusal: { error: 'login_required' } }
const CONSENT_REQUIRED = { kind: 'refusal', refusal: { error: 'consent_required' } }
const CONSENT = { kind: 'consent' }
const CODE = { kind: 'code' }

/** Without the members that are not there. */
function plain (value: object | undefined): unknown {
  return JSON.parse(JSON.stringify(value))
}

t.test('a client that is not known, and an address that it did not register, are not trusted', async t => {
  const { addClient, authorizations } = await openOAuth(t)
  const client = await addClient({ redirectUris: [REDIRECT_URI, 'http://127.0.0.1/cb'] })
  const target = async (pairs: Record<string, string | undefined>, more = '') => await authorizations.target({ ...parametersOf(pairs), repeated: more === '' ? [] : [more] }, NOW)
  const asked = { client_id: client.id, redirect_uri: REDIRECT_URI }
  t.strictSame(await target(asked), { client, redirectUri: REDIRECT_URI })
  t.strictSame(await target({ ...asked, redirect_uri: 'http://127.0.0.1:5000/cb' }), { client, redirectUri: 'http://127.0.0.1:5000/cb' })
  for (const id of [undefined, '', randomUUID(), client.id.toUpperCase()]) t.strictSame(await target({ ...asked, client_id: id }), { untrusted: 'client' })
  t.strictSame(await target(asked, 'client_id'), { untrusted: 'client' }, 'named twice')
  for (const uri of [undefined, '', `${REDIRECT_URI}/`, 'https://evil.example/']) t.strictSame(await target({ ...asked, redirect_uri: uri }), { untrusted: 'redirect_uri' })
  t.strictSame(await target(asked, 'redirect_uri'), { untrusted: 'redirect_uri' })
  t.strictSame(await target(asked, 'state'), { client, redirectUri: REDIRECT_URI }, 'what else came twice is told to the client')
})

t.test('the session is the log-in of the cookie\'s token, which is not rotated', async t => {
  const { authorizations, login, keyRing, stands, user } = await openOAuth(t)
  const { refreshToken } = await login()
  const before = await stands()
  t.strictSame(await authorizations.session(refreshToken, NOW), { user: before, family: before.families[0] })
  t.strictSame(await stands(), before)
  t.equal(await authorizations.session(undefined, NOW), undefined)
  t.equal(await authorizations.session('nonsense', NOW), undefined)
  t.equal(await authorizations.session(writeRefreshToken({ userId: user.id, familyId: randomUUID(), generation: 0 }, keyRing.refreshSecret), NOW), undefined)
  t.equal(await authorizations.session(refreshToken, NOW + 1_000_000), undefined, 'idle for too long')
})

t.test('the token of a client\'s family is no session, used or not, and nothing is changed by it', async t => {
  const { addClient, authorizations, letIn, clientTokens, stands, signs } = await openOAuth(t)
  const client = await addClient()
  const { refreshToken } = await letIn(client)
  t.equal(await authorizations.session(refreshToken, NOW), undefined)
  await clientTokens.refresh(client, refreshToken!, { scope: undefined, resources: undefined }, DEVICE, NOW)
  const before = await stands()
  t.equal(await authorizations.session(refreshToken, NOW + 60_000), undefined)
  t.strictSame(await stands(), before)
  t.strictSame(signs, [])
})

t.test('without a log-in the user has to log in, and a client that wants no page is told so', async t => {
  const { addClient, next } = await openOAuth(t)
  const client = await addClient()
  t.strictSame(await next(client, undefined), LOG_IN)
  t.match(await next(client, undefined, { prompt: 'none' }), LOGIN_REQUIRED)
})

t.test('with a log-in a client of our own gets its code at once, silently or not', async t => {
  const { addClient, next, logIn } = await openOAuth(t)
  const client = await addClient()
  const session = await logIn()
  t.match(await next(client, session), CODE)
  t.match(await next(client, session, { prompt: 'none' }), CODE)
  t.match(await next(client, session, { prompt: 'consent' }), CODE, 'of which nobody is asked anything')
})

t.test('prompt=login and select_account want a log-in after the asking', async t => {
  const { addClient, next, logIn } = await openOAuth(t)
  const client = await addClient()
  const [before, after] = [await logIn(NOW - 60_000), await logIn(NOW + 60_000)]
  for (const prompt of ['login', 'select_account', 'login consent']) {
    t.strictSame(await next(client, before, { prompt }), LOG_IN, 'asked for the first time')
    t.strictSame(await next(client, before, { prompt }, NOW + 70_000, NOW), LOG_IN)
    t.match(await next(client, after, { prompt }, NOW + 70_000, NOW), CODE)
    t.match(await next(client, after, { prompt }, NOW + 70_000, NOW + 70_000), CODE, 'by a clock that is a little ahead')
    t.strictSame(await next(client, after, { prompt }, NOW + 70_001, NOW + 70_001), LOG_IN)
  }
})

t.test('max_age wants a log-in that is no older, or one after the asking', async t => {
  const { addClient, next, logIn } = await openOAuth(t)
  const client = await addClient()
  const session = await logIn()
  const at = async (age: string, now: number, askedAt?: number, more = {}) => await next(client, session, { max_age: age, ...more }, now, askedAt)
  t.match(await at('60', NOW + 60_000), CODE)
  t.strictSame(await at('60', NOW + 60_001), LOG_IN)
  t.match(await at('60', NOW + 60_001, undefined, { prompt: 'none' }), LOGIN_REQUIRED)
  t.strictSame(await at('0', NOW + 1), LOG_IN)
  t.match(await at('0', NOW + 60_001, NOW - 1), CODE)
  t.match(await at('999999999', NOW + 600_000), CODE)
})

t.test('an id_token_hint wants the log-in of its user, and whoever logs in as somebody else ends the asking', async t => {
  const { addClient, next, logIn, letIn, keyRing, accounts, tokens, authorizations, store } = await openOAuth(t)
  const client = await addClient()
  const { idToken } = await letIn(client)
  const session = await logIn()
  t.match(await next(client, session, { id_token_hint: idToken }), CODE)
  t.match(await next(client, session, { id_token_hint: idToken, prompt: 'none' }), CODE)
  const bob = await accounts.register({ email: 'bob@example.com', password: 'another long password', name: null }, DEVICE, NOW)
  const pair = await tokens.open((await store.findUser(bob.id))!, bob.passwordHash, DEVICE, NOW)
  const other = await authorizations.session(pair!.refreshToken, NOW)
  const foreign = await keyRing.signIdToken({ iss: ISSUER, sub: randomUUID() })
  const byKeyOfBefore = `${idToken!.slice(0, -4)}AAAA`
  for (const [who, hint] of [[other, idToken], [session, foreign], [session, 'nonsense'], [session, pair!.accessToken], [session, byKeyOfBefore]] as const) {
    t.strictSame(await next(client, who, { id_token_hint: hint }), LOG_IN)
    t.strictSame(await next(client, who, { id_token_hint: hint }, NOW + 20_000, NOW + 20_000), LOG_IN, 'logged in before the asking')
    t.match(await next(client, who, { id_token_hint: hint, prompt: 'none' }), LOGIN_REQUIRED)
    const after = await next(client, who, { id_token_hint: hint }, NOW + 20_000, NOW - 1000)
    t.match(after, hint === idToken || hint === foreign ? LOGIN_REQUIRED : CODE, 'logged in for it: whose a hint is that cannot be read, nobody knows')
  }
})

t.test('when something was asked first is read of its stamp for an hour, and of no other\'s', async t => {
  const { authorizations } = await openOAuth(t)
  const stamp = authorizations.stamp('a=1', NOW)
  t.equal(authorizations.askedAt('a=1', stamp, NOW + 3_599_999), NOW)
  t.equal(authorizations.askedAt('a=1', stamp, NOW + 3_600_000), undefined)
  t.equal(authorizations.askedAt('a=2', stamp, NOW), undefined)
  t.equal(authorizations.askedAt('a=1', undefined, NOW), undefined)
  t.equal(authorizations.askedAt('a=1', 'nonsense', NOW), undefined)
})

t.test('a client that is not ours is let in by the user, and then needs no more for as much or less, as long as a family of it lives', async t => {
  const { addClient, authorizations, next, logIn, stands, redeem, request, tokens } = await openOAuth(t)
  const [client, another] = [await addClient({ isOurs: false }), await addClient({ isOurs: false })]
  let session = await logIn()
  const again = async () => { session = { ...session, user: await stands() } }
  const step = await next(client, session, { scope: 'openid read', nonce: 'n', state: 's' })
  t.match(step, CONSENT)
  t.match(await next(client, session, { scope: 'openid read', prompt: 'none' }), CONSENT_REQUIRED)
  const allowed = await authorizations.allow((step as Step & { kind: 'consent' }).decision, session, DEVICE, NOW)
  const { prompts: _, acrValues: __, ...grantable } = request(client, { scope: 'openid read', nonce: 'n', state: 's' })
  t.strictSame(plain(allowed?.request), plain(grantable))
  const { accessToken, idToken } = await redeem(client, allowed!.code)
  t.match(claimsOf(idToken), { nonce: 'n', aud: client.id })
  await again()
  for (const asked of [{ scope: 'openid read' }, { scope: 'read' }, { scope: 'openid', prompt: 'none' }]) t.match(await next(client, session, asked), CODE, JSON.stringify(asked))
  for (const asked of [{ scope: 'openid read write' }, { scope: 'read offline_access' }, { scope: 'read', resource: OTHER_API }, { scope: 'read', prompt: 'consent' }]) t.match(await next(client, session, asked), CONSENT, JSON.stringify(asked))
  t.match(await next(another, session, { scope: 'read' }), CONSENT, 'of another client nothing is known')
  t.match(await next(client, session, { scope: 'read' }, NOW + 999_999), CODE)
  t.match(await next(client, session, { scope: 'read' }, NOW + 1_000_000), CONSENT, 'a family that is dead is none')
  await tokens.close({ user: session.user, familyId: session.family.id }, claimsOf(accessToken)['sid'] as string, NOW)
  await again()
  t.match(await next(client, session, { scope: 'read' }), CONSENT, 'nor is one that was closed')
})

t.test('of a public client consent is remembered at its https address alone, for on a computer anybody may listen', async t => {
  const { addClient, authorizations, next, logIn, stands, redeem } = await openOAuth(t)
  for (const [uri, authMethod, remembered] of [
    ['http://127.0.0.1:4000/cb', 'none', false], ['com.example.app:/cb', 'none', false], ['https://app.example/spa', 'none', true], ['http://127.0.0.1:4000/cb', 'client_secret_basic', true],
  ] as const) {
    const client = await addClient({ isOurs: false, authMethod, redirectUris: [uri] })
    const session = await logIn()
    const asked = { redirect_uri: uri }
    const step = await next(client, session, asked) as Step & { kind: 'consent' }
    const allowed = await authorizations.allow(step.decision, session, DEVICE, NOW)
    await redeem(client, allowed!.code, { redirectUri: uri })
    t.match(await next(client, { ...session, user: await stands() }, asked), remembered ? CODE : CONSENT, `${uri} ${authMethod}`)
    t.match(await next(client, { ...session, user: await stands() }, { ...asked, prompt: 'none' }), remembered ? CODE : CONSENT_REQUIRED)
  }
})

t.test('a log-in by Signet\'s own routes lets no client in', async t => {
  const { addClient, next, logIn } = await openOAuth(t)
  const session = await logIn()
  session.user.families.push(newFamily(randomUUID(), DEVICE, NOW))
  t.match(await next(await addClient({ isOurs: false }), session), CONSENT)
})

t.test('a decision is good for ten minutes, for the log-in that was asked, and for the client as long as it is there', async t => {
  const { addClient, changeClient, authorizations, next, logIn, store, keyRing } = await openOAuth(t)
  const client = await addClient({ isOurs: false })
  const [session, other] = [await logIn(), await logIn()]
  const { decision } = await next(client, session) as Step & { kind: 'consent' }
  const allow = async (text: string, by = session, now = NOW) => await authorizations.allow(text, by, DEVICE, now)
  t.ok(await allow(decision, session, NOW + 599_999))
  t.equal(await allow(decision, session, NOW + 600_000), undefined)
  t.equal(await allow(decision, other), undefined)
  for (const wrong of ['', 'nonsense', `${decision}a`, await seal('code', { session: session.family.id, expiresAt: NOW + 1 }, keyRing.refreshSecret)]) t.equal(await allow(wrong), undefined)
  await changeClient(client, { redirectUris: ['https://app.example/moved'] })
  t.equal(await allow(decision, session, NOW + 5000), undefined, 'its address is gone')
  await store.removeClient(client.id)
  t.equal(await allow(decision, session, NOW + 10_000), undefined)
})

t.test('acr_values wants a log-in of a level; who has none to offer after one is told apart', async t => {
  const { addClient, logIn, next, stands, store, user, codeFor, redeem } = await openOAuth(t)
  const client = await addClient()
  const before = await logIn()
  const TWO = 'http://idmanagement.gov/ns/assurance/aal/2'
  t.match(await next(client, before, { acr_values: 'http://idmanagement.gov/ns/assurance/aal/1' }), CODE)
  t.match(await next(client, before, { acr_values: 'unknown' }), CODE)
  t.strictSame(await next(client, before, { acr_values: TWO }), LOG_IN)
  t.match(await next(client, before, { acr_values: TWO, prompt: 'none' }), LOGIN_REQUIRED)
  t.match(await next(client, before, { acr_values: TWO }, NOW, NOW), { kind: 'refusal', refusal: { error: 'unmet_authentication_requirements' } })
  await store.changeFactors({ userId: user.id, from: 0, factors: { version: 1, totp: { seed: 'sealed', addedAt: NOW, lastStep: 0 }, passkeys: [], recoveryCodes: [], spent: [] } })
  const owner = await stands()
  t.strictSame(await next(client, { ...before, user: owner }, { acr_values: TWO }, NOW, NOW), LOG_IN, 'who has one is asked for it')
  const amr = ['pwd', 'otp', 'mfa']
  const family = { ...before.family, id: randomUUID(), amr }
  await store.openFamily({ userId: user.id, verifiedHash: owner.passwordHash, passwordHash: owner.passwordHash, roles: [], verifiedFactors: 1, family, live: { createdAfter: 0, advancedAfter: 0 }, limit: 10, policy: 'evict', closing: { at: NOW, countsAfter: 0 } })
  const session = { user: await stands(), family }
  t.match(await next(client, session, { acr_values: TWO }), CODE)
  const { accessToken, idToken } = await redeem(client, await codeFor(client, { acr_values: TWO }, NOW, session))
  for (const token of [accessToken, idToken]) t.match(claimsOf(token), { amr, acr: TWO, auth_time: NOW / 1000 })
})
