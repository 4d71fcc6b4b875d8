// Codes: each opens one family, once, for whom it was made, as long as what it rests on stands.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { closingAt } from '../../src/core/closings.js'
import { liveAfter, newFamily } from '../../src/core/families.js'
import { writeRefreshToken } from '../../src/core/refresh-token.js'
import { seal } from '../../src/core/seals.js'
import { API, CHALLENGE, claimsOf, openOAuth, OTHER_API, REDIRECT_URI, VERIFIER } from './oauth-parts.js'
import { DEVICE, ISSUER, NOW, overtake, PASSWORD } from './parts.js'

const BAD = { code: 'invalid_grant', status: 400 }

t.test('a code opens a family of its client, as the user let it in, on the device that the user sat at', async t => {
  const { addClient, codeFor, redeem, grants, logIn } = await openOAuth(t)
  const client = await addClient()
  const session = await logIn(NOW - 5000)
  const code = await codeFor(client, { resource: OTHER_API }, NOW, session)
  t.strictSame(await grants(), [], 'and nothing of it is stored before')
  const answer = await redeem(client, code, {}, NOW + 1000)
  const [family, ...others] = await grants()
  t.strictSame(others, [])
  t.match(family, { generation: 0, createdAt: NOW + 1000, advancedAt: NOW + 1000, ip: DEVICE.ip, userAgent: null, grant: { clientId: client.id, scope: 'openid offline_access read', audience: [OTHER_API], authenticatedAt: NOW - 5000 } })
  t.equal(typeof family!.serial, 'number')
  t.match(claimsOf(answer.accessToken), { sid: family!.id, client_id: client.id, aud: OTHER_API, scope: 'openid offline_access read', auth_time: (NOW - 5000) / 1000 })
})

t.test('a code works once, and whoever brings it again closes what it opened, within its life and after', async t => {
  for (const later of [0, 59_999, 60_000, 3_600_000]) {
    const { addClient, codeFor, redeem, grants, clientTokens, stands } = await openOAuth(t)
    const client = await addClient()
    const code = await codeFor(client)
    const { accessToken, refreshToken } = await redeem(client, code)
    await t.rejects(redeem(client, code, {}, NOW + later), BAD)
    t.strictSame(await grants(), [], `${later} ms later`)
    t.strictSame((await stands()).closed?.map(({ id }) => id), [claimsOf(accessToken)['sid']])
    await t.rejects(clientTokens.refresh(client, refreshToken!, { scope: undefined, resources: undefined }, DEVICE, NOW + later), BAD)
    t.equal(await clientTokens.live(accessToken, NOW), undefined)
    await t.rejects(redeem(client, code, {}, NOW + later), BAD, 'and a third time it is as bad')
  }
})

t.test('a code that is raced by 64 opens one family at the most, and none is left', async t => {
  const { addClient, codeFor, redeem, grants, clientTokens } = await openOAuth(t)
  const client = await addClient()
  const code = await codeFor(client)
  const outcomes = await Promise.allSettled(Array.from({ length: 64 }, async () => await redeem(client, code)))
  const won = outcomes.filter(outcome => outcome.status === 'fulfilled')
  t.ok(won.length <= 1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.match(outcome.reason, BAD)
  t.strictSame(await grants(), [])
  for (const { value } of won) t.equal(await clientTokens.live(value.accessToken, NOW), undefined)
})

t.test('a code is good for sixty seconds, and one that came too late has opened nothing', async t => {
  const { addClient, codeFor, redeem, grants } = await openOAuth(t)
  const client = await addClient()
  await t.resolves(redeem(client, await codeFor(client), {}, NOW + 59_999))
  const before = await grants()
  await t.rejects(redeem(client, await codeFor(client), {}, NOW + 60_000), BAD)
  t.strictSame(await grants(), before)
})

t.test('a code that is brought by another client, with another verifier, without one, or for another address changes nothing, and the honest one works after it, too', async t => {
  const { addClient, codeFor, redeem, stands } = await openOAuth(t)
  const [client, other] = [await addClient(), await addClient({ authMethod: 'none' })]
  const code = await codeFor(client)
  const attempts = async (when: string) => {
    const before = await stands()
    await t.rejects(redeem(other, code), BAD, `another client ${when}`)
    for (const wrong of [{ verifier: undefined }, { verifier: '' }, { verifier: `${VERIFIER}a` }, { verifier: CHALLENGE }, { redirectUri: `${REDIRECT_URI}/` }, { redirectUri: '' }, { redirectUri: 'https://evil.example/cb' }]) {
      await t.rejects(redeem(client, code, wrong), BAD, `${JSON.stringify(wrong)} ${when}`)
    }
    t.strictSame(await stands(), before)
  }
  await attempts('before')
  const answer = await redeem(client, code, { redirectUri: undefined })
  t.ok(answer.refreshToken, 'with a verifier the address need not be said again')
  await attempts('after')
})

t.test('what is no code is bad: nothing, a code of another ring, of another purpose, or a refresh token', async t => {
  const { addClient, codeFor, redeem, keyRing, stands, user } = await openOAuth(t)
  const client = await addClient()
  const code = await codeFor(client)
  const before = await stands()
  const claims = { clientId: client.id, userId: user.id, familyId: '00000000-0000-4000-8000-000000000000' }
  for (const wrong of ['', 'code', `${code}a`, code.slice(0, -3), await seal('decision', claims, keyRing.refreshSecret), writeRefreshToken({ ...claims, generation: 0 }, keyRing.refreshSecret)]) await t.rejects(redeem(client, wrong), BAD)
  t.strictSame(await stands(), before)
})

t.test('without a challenge a code is bound by its address, and a verifier shows that the challenge was taken away', async t => {
  const { addClient, codeFor, redeem, grants } = await openOAuth(t)
  const client = await addClient({ requiresPkce: false })
  const code = await codeFor(client, { code_challenge: undefined, code_challenge_method: undefined })
  for (const wrong of [{}, { verifier: '' }, { verifier: undefined, redirectUri: undefined }, { verifier: undefined, redirectUri: 'https://app.example/' }]) await t.rejects(redeem(client, code, wrong), BAD)
  t.strictSame(await grants(), [])
  await t.resolves(redeem(client, code, { verifier: undefined }))
  await t.rejects(redeem(client, await codeFor(client), { verifier: undefined }), BAD, 'and a challenge that was sent counts for every client')
})

t.test('a code opens nothing once the log-in has ended by which it was made, or the password is another', async t => {
  const { addClient, codeFor, redeem, logIn, grants, tokens, accounts, stands } = await openOAuth(t)
  const client = await addClient()
  const ends: Array<[string, (session: Awaited<ReturnType<typeof logIn>>) => Promise<unknown>]> = [
    ['a log-out', async ({ user, family }) => { await tokens.logout({ user, familyId: family.id }, NOW) }],
    ['an end on another device', async ({ user, family }) => { await tokens.close({ user, familyId: family.id }, family.id, NOW) }],
    ['an end of all', async ({ user, family }) => await tokens.closeAll({ user, familyId: family.id }, NOW)],
    ['a password change', async ({ user, family }) => await accounts.changePassword({ user, familyId: family.id }, PASSWORD, 'another long password', DEVICE, NOW)],
  ]
  for (const [way, end] of ends) {
    const session = await logIn()
    const code = await codeFor(client, {}, NOW, { ...session, user: await stands() })
    await end(session)
    await t.rejects(redeem(client, code), BAD, way)
    t.strictSame(await grants(), [], way)
  }
})

t.test('a password change or a log-out that comes between reading and opening counts', async t => {
  const { addClient, codeFor, redeem, logIn, grants, tokens, accounts, stands, store } = await openOAuth(t)
  const client = await addClient()
  for (const end of [
    async ({ user, family }: Awaited<ReturnType<typeof logIn>>) => { await tokens.logout({ user, familyId: family.id }, NOW) },
    async ({ user, family }: Awaited<ReturnType<typeof logIn>>) => await accounts.changePassword({ user, familyId: family.id }, PASSWORD, 'another long password', DEVICE, NOW),
  ]) {
    const session = { ...await logIn(), user: await stands() }
    const code = await codeFor(client, {}, NOW, session)
    overtake(store, 'openFamily', async () => await end(session))
    await t.rejects(redeem(client, code), BAD)
    t.strictSame(await grants(), [])
  }
})

t.test('a code opens nothing once the password is kept by another hash, though the log-in stands', async t => {
  const { addClient, codeFor, redeem, logIn, grants, store, stands, parts } = await openOAuth(t)
  const client = await addClient()
  const keepAnew = async (passwordHash: string) => {
    const { id, passwordHash: verifiedHash } = await stands()
    await store.openFamily({ userId: id, verifiedHash, passwordHash, roles: [], family: newFamily(randomUUID(), DEVICE, NOW), live: liveAfter(NOW, parts.families), limit: 10, policy: 'evict', closing: closingAt(NOW, parts.closingRetention) })
  }
  const session = await logIn()
  const before = await codeFor(client, {}, NOW, session)
  await keepAnew('$another')
  await t.rejects(redeem(client, before), BAD)
  const between = await codeFor(client, {}, NOW, { ...session, user: await stands() })
  overtake(store, 'openFamily', async () => { await keepAnew('$a third') })
  await t.rejects(redeem(client, between), BAD)
  t.strictSame(await grants(), [])
})

t.test('a code is as good as its client\'s record is when it is brought', async t => {
  const { addClient, changeClient, codeFor, redeem, grants } = await openOAuth(t)
  const client = await addClient({ requiresPkce: false })
  const plain = { code_challenge: undefined, code_challenge_method: undefined }
  await t.rejects(redeem(await changeClient(client, { redirectUris: ['https://app.example/moved'] }), await codeFor(client)), BAD, 'its address is gone')
  await t.rejects(redeem({ ...client, requiresPkce: true }, await codeFor(client, plain), { verifier: undefined }), BAD, 'PKCE is wanted by now')
  await t.rejects(redeem({ ...client, grantTypes: ['client_credentials'] }, await codeFor(client)), { code: 'unauthorized_client' })
  await t.rejects(redeem({ ...client, audiences: [OTHER_API] }, await codeFor(client)), { code: 'invalid_target' }, 'its audience is gone')
  await t.rejects(redeem({ ...client, scopes: [] }, await codeFor(client, { scope: 'read write' })), { code: 'invalid_scope' }, 'its scopes are gone')
  t.strictSame(await grants(), [])
  const answer = await redeem({ ...client, scopes: ['write'], grantTypes: ['authorization_code'] }, await codeFor(client, { scope: 'openid offline_access read write' }))
  t.match({ ...answer, refreshToken: answer.refreshToken }, { scope: 'openid write', refreshToken: undefined }, 'what is left of it is had')
})

t.test('a resource that is not of the request is refused, and leaves the code good', async t => {
  const { addClient, codeFor, redeem, grants } = await openOAuth(t)
  const client = await addClient()
  const code = await codeFor(client)
  for (const resources of [[OTHER_API], [API, OTHER_API], [ISSUER], ['']]) await t.rejects(redeem(client, code, { resources }), { code: 'invalid_target' })
  t.strictSame(await grants(), [])
  t.equal(claimsOf((await redeem(client, code, { resources: [API, API] })).accessToken)['aud'], API)
})

t.test('where an account has as many devices as are allowed, the policy counts for clients as well', async t => {
  const refusing = await openOAuth(t, { policy: 'refuse', maxActive: 1 })
  const client = await refusing.addClient()
  const code = await refusing.codeFor(client)
  const before = await refusing.stands()
  await t.rejects(refusing.redeem(client, code), { ...BAD, message: 'The account is logged in on as many devices as are allowed.' })
  t.strictSame(await refusing.stands(), before)
})

t.test('where as many closings count as may, a code has to wait', async t => {
  const { addClient, logIn, codeFor, redeem, store, parts, user } = await openOAuth(t)
  const client = await addClient()
  const session = await logIn()
  const code = await codeFor(client, {}, NOW, session)
  const crowd = { ...user, id: '00000000-0000-4000-8000-000000000001', email: 'crowd@example.com', families: [session.family], closed: Array.from({ length: 1000 }, (_, serial) => ({ id: `${serial}`, serial, at: NOW })) }
  await store.insertUser(crowd)
  const crowded = await codeFor(client, {}, NOW, { user: crowd, family: session.family })
  await t.rejects(redeem(client, crowded), { code: 'rate_limited', retryAfter: parts.closingRetention / 1000 })
  await t.resolves(redeem(client, code))
})

t.test('without status lists a code works, and works once, all the same', async t => {
  const { addClient, codeFor, redeem, grants } = await openOAuth(t, { places: undefined })
  const client = await addClient()
  const code = await codeFor(client)
  t.notOk('status' in claimsOf((await redeem(client, code)).accessToken))
  t.notOk('serial' in (await grants())[0]!)
  await t.rejects(redeem(client, code), BAD)
  await t.rejects(redeem(client, code), BAD)
  t.strictSame(await grants(), [])
})

t.test('a grant without offline_access takes the place of a spent one of the same client that is within it', async t => {
  const { addClient, letIn, grants, logIn, stands } = await openOAuth(t, { maxActive: 10 })
  const [client, other] = [await addClient(), await addClient()]
  const session = await logIn()
  const scopesOf = async () => (await grants()).map(({ grant }) => `${grant!.clientId === client.id ? 'own' : 'other'} ${grant!.scope}`).toSorted()
  const at = async (of: typeof client, scope: string, now: number) => await letIn(of, { scope }, now, { ...session, user: await stands() })
  await at(client, 'openid', NOW)
  await at(other, 'openid', NOW)
  await at(client, 'openid offline_access', NOW)
  await at(client, 'openid', NOW + 600_000)
  t.strictSame(await scopesOf(), ['other openid', 'own openid', 'own openid', 'own openid offline_access'], 'one whose access token is good still stays')
  await at(client, 'openid read', NOW + 600_001)
  t.strictSame(await scopesOf(), ['other openid', 'own openid', 'own openid offline_access', 'own openid read'])
  await at(client, 'read', NOW + 1_250_000)
  t.strictSame(await scopesOf(), ['other openid', 'own openid', 'own openid offline_access', 'own openid read', 'own read'], 'one that is for more stays, for the user let the client do it')
})

t.test('log-ins of one client drive nobody else out, however many and however fast', async t => {
  for (const policy of ['evict', 'refuse'] as const) {
    const { addClient, letIn, grants, logIn, stands } = await openOAuth(t, { policy })
    const client = await addClient()
    const devices = [await logIn(NOW - 2000), await logIn(NOW - 1000)]
    let last: string | undefined
    for (let now = NOW; now < NOW + 20; now++) last = claimsOf((await letIn(client, { scope: now % 2 ? 'openid' : 'openid read' }, now, { ...devices[1]!, user: await stands() })).accessToken)['sid'] as string
    t.strictSame((await grants()).map(({ id }) => id), [last], policy)
    t.equal((await stands()).families.length, 3)
  }
})
