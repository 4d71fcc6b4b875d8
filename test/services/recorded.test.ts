// What is recorded, where it happens: each log-in, each closing with its cause, and nothing twice.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { SecurityEvent } from '../../src/core/events.js'
import { readRefreshToken } from '../../src/core/refresh-token.js'
import { writeLinkToken } from '../../src/core/link-token.js'
import { Evictions } from '../../src/services/evictions.js'
import { PasswordResets } from '../../src/services/password-resets.js'
import { claimsOf, openOAuth, parametersOf } from './oauth-parts.js'
import { DEVICE, LIMITS as LIVES, NOW, openServices, PASSWORD, RETENTION } from './parts.js'

const PHONE = { ip: '203.0.113.9', userAgent: 'phone' }
const LIMITS = { window: 900_000, placeMax: 2, accountMax: 100 }

/** What of an event says what happened. */
function brief ({ kind, details }: SecurityEvent): string {
  return [kind, details?.cause ?? details?.reason, details?.count].filter(part => part !== undefined).join(' ')
}

t.test('a registration and log-ins are recorded, those that fail with the reason, and never with an address that was typed', async t => {
  const { accounts, tokens, events, user } = await openServices(t, 4, LIMITS)
  t.strictSame(events.splice(0), [{ kind: 'registration.succeeded', at: NOW, userId: user.id, ...DEVICE }])
  const found = await accounts.authenticate('ada@example.com', PASSWORD, PHONE, NOW)
  await tokens.open(found, found.passwordHash, PHONE, NOW)
  const { families: [family] } = (await tokens.identify((await tokens.open(found, found.passwordHash, PHONE, NOW))!.accessToken, NOW)).user
  t.match(events.splice(0), [{ kind: 'login.succeeded', at: NOW, userId: user.id, familyId: family!.id, ...PHONE }, { kind: 'login.succeeded' }])
  await t.rejects(accounts.authenticate('ada@example.com', 'wrong', PHONE, NOW))
  await t.rejects(accounts.authenticate('hunter2@nobody.example', 'wrong', PHONE, NOW))
  t.strictSame(events.splice(0), [
    { kind: 'login.failed', at: NOW, userId: user.id, ...PHONE, details: { reason: 'wrong_password' } },
    { kind: 'login.failed', at: NOW, userId: undefined, ...PHONE, details: { reason: 'unknown_address' } },
  ])
  await t.rejects(accounts.authenticate('ada@example.com', 'wrong', PHONE, NOW))
  for (let more = 0; more < 3; more++) await t.rejects(accounts.authenticate('ada@example.com', PASSWORD, PHONE, NOW), { code: 'rate_limited' })
  t.strictSame(events.splice(0).slice(1), [{ kind: 'login.limited', at: NOW, userId: user.id, ...PHONE }], 'a refusal by a limit once in its window')
})

t.test('a log-in for which there is no room is recorded as one that failed', async t => {
  const { events, login } = await openServices(t, 4, undefined, { policy: 'refuse', maxActive: 1 })
  await login()
  events.splice(0)
  await t.rejects(login(), { code: 'too_many_active_tokens' })
  t.strictSame(events.map(brief), ['login.failed too_many_devices'])
})

t.test('a log-in tells which families had to go, and why', async t => {
  const { tokens, events, login, store, user, keyRing } = await openServices(t)
  const claims = []
  for (let at = 0; at < 3; at++) claims.push(readRefreshToken((await login(NOW + at)).refreshToken, keyRing.findSecret)!)
  events.splice(0)
  await login(NOW + 10)
  t.match(events.splice(0), [{ kind: 'login.succeeded' }, { kind: 'family.closed', at: NOW + 10, userId: user.id, familyId: claims[0]!.familyId, ...DEVICE, details: { cause: 'evicted' } }])
  const stands = (await store.findUser(user.id))!
  await tokens.open(stands, stands.passwordHash, PHONE, NOW + 20, claims[1])
  t.match(events.splice(0), [{ kind: 'login.succeeded' }, { kind: 'family.closed', familyId: claims[1]!.familyId, ...PHONE, details: { cause: 'replaced' } }])
  const again = (await store.findUser(user.id))!
  await tokens.open(again, again.passwordHash, PHONE, NOW + 30, claims[1])
  t.match(events.splice(0).map(brief), ['login.succeeded', 'family.closed evicted'], 'one that is gone already is replaced by nobody')
})

t.test('a password that is set anew is recorded with how many log-ins lived, and nothing is said to be closed where none did', async t => {
  const { accounts, events, hasher, keyRing, login, store, user } = await openServices(t)
  const resets = new PasswordResets({ store, hasher, keyRing, accounts, families: LIVES, closingRetention: RETENTION, record: event => { events.push(event) } })
  const reset = async (now: number) => {
    events.splice(0)
    await resets.redeem(writeLinkToken('reset-password', (await store.findUser(user.id))!, now + 1000, keyRing.refreshSecret), `harbour of ${now}`, PHONE, now)
    return events.map(brief)
  }
  t.strictSame(await reset(NOW), ['password.reset'])
  await login()
  await login()
  t.strictSame(await reset(NOW), ['password.reset', 'family.closed password_reset 2'])
  await login()
  t.strictSame(await reset(NOW + LIVES.idle + 1), ['password.reset'], 'one that nobody used for too long had ended before')
})

t.test('a log-in of another user on a device tells whose family it closed', async t => {
  const { accounts, tokens, events, login, keyRing, user } = await openServices(t)
  const held = readRefreshToken((await login()).refreshToken, keyRing.findSecret)!
  const other = await accounts.register({ email: 'bob@example.com', password: PASSWORD, name: null }, PHONE, NOW)
  events.splice(0)
  await tokens.open(other, other.passwordHash, PHONE, NOW, held)
  await tokens.open(other, other.passwordHash, PHONE, NOW, held)
  t.match(events, [{ kind: 'login.succeeded', userId: other.id }, { kind: 'family.closed', userId: user.id, familyId: held.familyId, details: { cause: 'replaced' } }, { kind: 'login.succeeded', userId: other.id }])
})

t.test('a store that cannot say which family had to go, or whose user is gone, fails no log-in, and what another write closed is no eviction', async t => {
  const { store, user, login } = await openServices(t)
  for (let at = 0; at < 2; at++) await login(NOW + at)
  const before = (await store.findUser(user.id))!
  const events: SecurityEvent[] = []
  const opened = { before, by: before.families[1]!, replaced: undefined, limit: 2, device: DEVICE, now: NOW + 5 }
  const record = (event: SecurityEvent) => { events.push(event) }
  for (const findUser of [async () => { throw new Error('away') }, async () => undefined]) await new Evictions({ store: { findUser }, record }).record(opened)
  const gone = { ...before, families: [], closed: [{ id: before.families[0]!.id, at: NOW + 4 }] }
  await new Evictions({ store: { findUser: async () => gone }, record }).record(opened)
  t.strictSame(events, [])
  await new Evictions({ store: { findUser: async () => ({ ...before, families: [] }) }, record }).record(opened)
  t.strictSame(events.map(brief), ['family.closed evicted'], 'of one without a number no closing is kept')
})

t.test('each closing by its owner is recorded with its cause, once', async t => {
  const { tokens, events, login } = await openServices(t)
  const caller = async () => ({ ...await tokens.identify((await login()).accessToken, NOW), device: PHONE })
  const [one, two] = [await caller(), await caller()]
  events.splice(0)
  await tokens.logout(one, NOW)
  await tokens.logout(one, NOW)
  await tokens.close(one, two.familyId, NOW)
  await t.rejects(tokens.close(one, two.familyId, NOW))
  for (const id of [randomUUID(), 'none']) await t.rejects(tokens.close(one, id, NOW))
  t.strictSame(events.splice(0), [
    { kind: 'family.closed', at: NOW, userId: one.user.id, familyId: one.familyId, ...PHONE, details: { cause: 'logout' } },
    { kind: 'family.closed', at: NOW, userId: one.user.id, familyId: two.familyId, ...PHONE, details: { cause: 'revoked' } },
  ])
  for (let more = 0; more < 2; more++) await login()
  events.splice(0)
  await tokens.closeAll(one, NOW)
  t.strictSame(events, [{ kind: 'family.closed', at: NOW, userId: one.user.id, familyId: undefined, ...PHONE, details: { cause: 'revoked_all', count: 2 } }])
})

t.test('a reused token closes its family once, and both are recorded', async t => {
  const { tokens, events, login } = await openServices(t)
  const { refreshToken } = await login()
  await tokens.refresh(refreshToken, DEVICE, NOW)
  events.splice(0)
  await Promise.all(Array.from({ length: 8 }, async () => { await t.rejects(tokens.refresh(refreshToken, PHONE, NOW + 40_000)) }))
  t.strictSame(events.filter(({ kind }) => kind === 'family.closed').map(brief), ['family.closed reused'], 'of many at once one closes it')
  t.ok(events.some(({ kind, ip }) => kind === 'refresh.reused' && ip === PHONE.ip))
})

t.test('a change of password is recorded, so is a guess that fails, and the last one with what it closes', async t => {
  const { accounts, tokens, events, login, user } = await openServices(t, 4, LIMITS)
  await login()
  const caller = await tokens.identify((await login()).accessToken, NOW)
  events.splice(0)
  const family = await accounts.changePassword(caller, PASSWORD, 'another horse battery', PHONE, NOW)
  t.strictSame(events.splice(0), [
    { kind: 'password.changed', at: NOW, userId: user.id, familyId: family.id, ...PHONE },
    { kind: 'family.closed', at: NOW, userId: user.id, ...PHONE, details: { cause: 'password_changed', count: 2 } },
  ])
  const next = { ...await tokens.identify((await tokens.issue(user, family, NOW)).accessToken, NOW) }
  for (let guess = 0; guess < 2; guess++) await t.rejects(accounts.changePassword(next, 'wrong', 'yet another horse', PHONE, NOW), { code: 'wrong_password' })
  await t.rejects(accounts.changePassword(next, 'wrong', 'yet another horse', PHONE, NOW), { code: 'rate_limited' })
  t.strictSame(events.map(brief), ['password.change_failed', 'password.change_failed', 'family.closed guesses_spent', 'password.change_limited'])
  t.match(events[2], { familyId: family.id, ...PHONE })
})

t.test('what a user lets a client do is recorded, its code that is brought again, and its end', async t => {
  const { addClient, authorizations, clientTokens, codeFor, events, logIn, next, redeem, user } = await openOAuth(t)
  const client = await addClient({ isOurs: false })
  const session = await logIn()
  const step = await next(client, session)
  events.splice(0)
  const { code } = (await authorizations.allow((step as { decision: string }).decision, session, PHONE, NOW))!
  const answer = await redeem(client, code)
  const familyId = claimsOf(answer.accessToken)['sid'] as string
  t.match(events.splice(0), [
    { kind: 'consent.given', userId: user.id, clientId: client.id, familyId: session.family.id, ...PHONE, details: { scope: 'openid offline_access read' } },
    { kind: 'grant.opened', userId: user.id, clientId: client.id, familyId, ...PHONE, details: { scope: 'openid offline_access read' } },
  ])
  for (let more = 0; more < 2; more++) await t.rejects(redeem(client, code))
  t.match(events.splice(0), [{ kind: 'code.replayed', userId: user.id, clientId: client.id, familyId }, { kind: 'family.closed', clientId: client.id, familyId, details: { cause: 'code_replayed' } }])
  const own = await addClient()
  const other = await redeem(own, await codeFor(own, {}, NOW, session))
  events.splice(0)
  for (let more = 0; more < 2; more++) await clientTokens.revoke(own, other.accessToken, NOW)
  t.match(events.map(brief), ['family.closed client_revoked'])
})

t.test('a log-out that a client asked for tells what it closed', async t => {
  const { addClient, letIn, logIn, logOuts, events } = await openOAuth(t)
  const [client, session] = [await addClient(), await logIn()]
  const answer = await letIn(client, {}, NOW, session)
  const asked = (await logOuts.read(parametersOf({ id_token_hint: answer.idToken! }), NOW))!
  events.splice(0)
  for (let more = 0; more < 2; more++) await logOuts.end(asked, session, PHONE, NOW)
  t.match(events, [
    { kind: 'family.closed', clientId: client.id, familyId: claimsOf(answer.accessToken)['sid'], ...PHONE, details: { cause: 'client_logout' } },
    { kind: 'family.closed', familyId: session.family.id, ...PHONE, details: { cause: 'logout' } },
  ])
  t.equal(events.length, 2)
})

t.test('a client that has its share tells which of its families had to go, whatever room there is, and before that the store is not asked', async t => {
  const { store, user, login } = await openServices(t)
  for (let at = 0; at < 2; at++) await login(NOW + at)
  const found = (await store.findUser(user.id))!
  const grant = { clientId: randomUUID(), scope: 'openid', audience: [], authenticatedAt: NOW }
  const families = found.families.map(family => ({ ...family, grant }))
  const events: SecurityEvent[] = []
  const asked: string[] = []
  const findUser = async (id: string) => { asked.push(id); return { ...found, families: families.slice(1) } }
  const evictions = new Evictions({ store: { findUser }, record: event => { events.push(event) } })
  const opened = { before: { ...found, families }, by: { ...families[0]!, id: randomUUID() }, replaced: undefined, device: DEVICE, now: NOW + 5 }
  await evictions.record({ ...opened, limit: 5 })
  await evictions.record({ ...opened, limit: 4, by: { ...opened.by, grant: { ...grant, clientId: randomUUID() } } })
  t.strictSame([events, asked], [[], []])
  await evictions.record({ ...opened, limit: 4 })
  t.strictSame(events, [{ kind: 'family.closed', at: NOW + 5, userId: user.id, familyId: families[0]!.id, ...DEVICE, details: { cause: 'evicted' } }])
})
