// What a token's status makes of a verification: the refusals, the two policies, and where the lists come from.
import t from 'tap'
import type { AccessTokenClaims } from '../../src/verifier/access-token-claims.js'
import { REFUSALS } from '../../src/verifier/token-verification-error.js'
import { createVerifier } from '../../src/verifier/verifier.js'
import { AUDIENCE, authority, down, SECONDS } from './authority.js'
import { ENTRIES, listAuthority } from './list-authority.js'
import { warning } from './warning.js'

const refusalOf = async (verified: Promise<unknown>) => await verified.then(() => undefined, (error: unknown) => error)

t.test('a token of a living log-in is good, and its claims say where its status stands; that of a closed one is revoked', async t => {
  const stub = await listAuthority(t)
  await stub.publish([7])
  const status = { status_list: { idx: 6, uri: stub.uri } }
  t.strictSame(await stub.verify(await stub.tokenAt(6)), { ...stub.claims, status })
  t.match(await refusalOf(stub.verify(await stub.tokenAt(7))), { name: 'TokenVerificationError', code: 'token_revoked', message: REFUSALS.token_revoked, retryAfter: undefined })
  t.strictSame(stub.asked, ['/.well-known/jwks.json', '/status-lists/0'])
})

t.test('a token without a status, or with one of another mechanism alone, costs no list', async t => {
  const stub = await listAuthority(t)
  for (const status of [undefined, {}, { identifier_list: { id: 'x' } }]) {
    t.equal(await stub.judge(await stub.sign(undefined, { status })), 'good', JSON.stringify(status))
  }
  t.strictSame(stub.lists(), [])
  await stub.publish([1])
  t.equal(await stub.judge(await stub.sign(undefined, { status: { identifier_list: {}, status_list: { idx: 1, uri: stub.uri, more: 1 } } })), 'token_revoked', 'beside others it counts')
})

t.test('a status of another form, or beyond its list, is a claim of another form', async t => {
  const stub = await listAuthority(t)
  const { issuer, uri } = stub
  const message = 'The token lacks claims, or has them in another form: status.'
  const forms: Array<[name: string, status: unknown]> = [
    ...[null, 'x', 1, true, [], [{ status_list: { idx: 0, uri } }]].map(status => [JSON.stringify(status), status] as [string, unknown]),
    ...[null, 'x', 1, [], {}, [0, uri], { idx: 0 }, { uri }].map(list => [`list ${JSON.stringify(list)}`, { status_list: list }] as [string, unknown]),
    ...[-1, 0.5, '0', '', null, true, [0], {}].map(idx => [`idx ${JSON.stringify(idx)}`, { status_list: { idx, uri } }] as [string, unknown]),
    ...[
      '', issuer, `${issuer}/status-lists/`, `${issuer}/status-lists/x`, `${issuer}/status-lists/0/`, `${issuer}/status-lists/0?time=0`, `${issuer}/status-lists/0#`, `${issuer}/status-lists/-0`, `${issuer}/status-lists/0x0`,
      `${issuer}/status-lists/0\n`, `${issuer}/status-lists/٠`, `${issuer}/status-lists/../../secret`, `${issuer}//status-lists/0`, `${issuer}/x/status-lists/0`, `${issuer.toUpperCase()}/status-lists/0`, `${issuer}@evil.example/status-lists/0`,
      'http://169.254.169.254/status-lists/0', 'file:///status-lists/0', '/status-lists/0', 'status-lists/0', [uri], null, 0,
    ].map(address => [`uri ${JSON.stringify(address)}`, { status_list: { idx: 0, uri: address } }] as [string, unknown]),
  ]
  for (const [name, status] of forms) t.match(await refusalOf(stub.verify(await stub.sign(undefined, { status }))), { code: 'missing_claim', message }, name)
  t.strictSame(stub.asked, ['/.well-known/jwks.json'], 'none of them is asked for')
  for (const idx of [ENTRIES, ENTRIES + 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, Number.MAX_VALUE]) t.match(await refusalOf(stub.verify(await stub.tokenAt(idx))), { code: 'missing_claim', message }, String(idx))
  t.equal(await stub.judge(await stub.tokenAt(ENTRIES - 1)), 'good')
})

t.test('a token that is bad for another reason costs no list, and is refused for that reason', async t => {
  const stub = await listAuthority(t)
  await stub.publish([0])
  const status = { status_list: { idx: 0, uri: stub.uri } }
  t.equal(await stub.judge(await stub.sign(undefined, { status, exp: SECONDS })), 'token_expired')
  t.equal(await stub.judge(await stub.sign(undefined, { status, aud: 'billing' })), 'wrong_audience')
  t.equal(await stub.judge(await stub.sign(stub.two, { status })), 'unknown_key')
  t.equal(await stub.judge(await stub.sign(stub.two, { status: 'x' }, { kid: 'one' })), 'bad_signature')
  t.strictSame(stub.lists(), [])
})

t.test('with status: ignore no list is fetched, and no status refuses a token', async t => {
  const stub = await listAuthority(t, { status: 'ignore' })
  await stub.publish([0])
  for (const status of [{ status_list: { idx: 0, uri: stub.uri } }, { status_list: null }, 'x']) t.equal(await stub.judge(await stub.sign(undefined, { status })), 'good')
  t.strictSame(stub.lists(), [])
})

t.test('without a list a token is accepted, and the service is told of each, with the reason', async t => {
  const told: Array<[AccessTokenClaims, unknown]> = []
  const stub = await listAuthority(t, { onStatusUnchecked: (claims, cause) => { told.push([claims, cause]) } })
  await stub.publish([1])
  const { answerList } = stub
  stub.answerList = down
  const tokens = [await stub.tokenAt(0), await stub.tokenAt(1)]
  for (const token of tokens) t.equal(await stub.judge(token), 'good')
  t.match(told, [[{ sub: 'user', status: { status_list: { idx: 0 } } }, { message: 'fetch failed' }], [{ status: { status_list: { idx: 1 } } }, { message: 'fetch failed' }]])
  stub.now += 10_000
  stub.answerList = answerList
  t.strictSame([await stub.judge(tokens[0]!), await stub.judge(tokens[1]!)], ['good', 'token_revoked'])
  stub.answerList = down
  stub.now += 299_000
  t.strictSame([await stub.judge(tokens[0]!), await stub.judge(tokens[1]!)], ['good', 'token_revoked'], 'what was seen closed is refused in an outage too')
  t.equal(told.length, 3)
})

t.test('where the policy is to refuse, a token without a list is refused for now, and is good once there is one', async t => {
  const stub = await listAuthority(t, { onStatusUnavailable: 'refuse', onStatusUnchecked: () => { t.fail('none is accepted unchecked') } })
  const { answerList } = stub
  stub.answerList = down
  const token = await stub.tokenAt(0)
  t.match(await refusalOf(stub.verify(token)), { code: 'status_unavailable', message: REFUSALS.status_unavailable, retryAfter: 1, cause: { message: 'fetch failed' } })
  stub.answerList = answerList
  t.equal(await stub.judge(token), 'status_unavailable', 'not before the next try')
  stub.now += 1_000
  t.equal(await stub.judge(token), 'good')
  t.equal(stub.lists().length, 2)
})

t.test('nobody has to be told, and one who fails at hearing it refuses nothing, ends nothing, and is in the warnings of the process', async t => {
  const silent = await listAuthority(t)
  silent.answerList = down
  t.equal(await silent.judge(await silent.tokenAt(0)), 'good')
  for (const onStatusUnchecked of [() => { throw new Error('at once') }, async () => await Promise.reject(new Error('later'))]) {
    const stub = await listAuthority(t, { onStatusUnchecked })
    stub.answerList = down
    const warned = warning('SignetWarning')
    t.equal(await stub.judge(await stub.tokenAt(0)), 'good')
    t.match(await warned, { message: /^onStatusUnchecked failed: Error: (at once|later)/ })
  }
})

t.test('a list under a key that nobody publishes is no list, and says nothing of the token\'s own key', async t => {
  const causes: unknown[] = []
  const stub = await listAuthority(t, { onStatusUnchecked: (_claims, cause) => { causes.push(cause) } })
  stub.answerList = stub.send(await stub.signList({}, {}, stub.two))
  t.equal(await stub.judge(await stub.tokenAt(0)), 'good')
  t.match(causes, [{ code: 'unknown_key' }])
  const strict = await listAuthority(t, { onStatusUnavailable: 'refuse' })
  strict.answerList = strict.send(await strict.signList({}, {}, strict.two))
  t.equal(await strict.judge(await strict.tokenAt(0)), 'status_unavailable')
})

t.test('a list that is signed by the next key, or by one that nobody had seen, is taken', async t => {
  const stub = await listAuthority(t, { onStatusUnavailable: 'refuse' })
  const token = await stub.tokenAt(0)
  t.equal(await stub.judge(token), 'good')
  stub.published = [stub.one.jwk, stub.two.jwk]
  stub.now += 10_000
  stub.answerList = stub.send(await stub.signList({ ...stub.listClaims([0]) }, {}, stub.two))
  t.equal(await stub.judge(token), 'token_revoked')
})

t.test('a hundred verifications at once make one fetch of the keys and one of the list', async t => {
  const stub = await listAuthority(t)
  await stub.publish([50])
  const tokens = await Promise.all(Array.from({ length: 100 }, async (_, index) => await stub.tokenAt(index)))
  t.strictSame((await Promise.all(tokens.map(stub.judge))).flatMap((said, index) => said === 'good' ? [] : [[said, index]]), [['token_revoked', 50]])
  t.strictSame(stub.asked, ['/.well-known/jwks.json', '/status-lists/0'])
})

t.test('lists come from where the keys come from, and where that cannot be told from the issuer', async t => {
  const stub = await authority(t)
  const asked: unknown[] = []
  const fetch = (async (uri: unknown) => {
    asked.push(uri)
    return String(uri).includes('/status-lists/') ? new Response(null, { status: 503 }) : Response.json({ keys: stub.published })
  }) as typeof globalThis.fetch
  const cases: Array<[issuer: string, jwksUri: string | undefined, uri: string, address: string]> = [
    ['https://id.example', undefined, 'https://id.example/status-lists/3', 'https://id.example/status-lists/3'],
    ['https://id.example/', undefined, 'https://id.example/status-lists/3', 'https://id.example/status-lists/3'],
    ['https://id.example/auth', undefined, 'https://id.example/auth/status-lists/3', 'https://id.example/auth/status-lists/3'],
    ['https://id.example', 'http://signet:3000/.well-known/jwks.json', 'https://id.example/status-lists/12', 'http://signet:3000/status-lists/12'],
    ['https://id.example', 'http://signet:3000/auth/.well-known/jwks.json', 'https://id.example/status-lists/0', 'http://signet:3000/auth/status-lists/0'],
    ['https://id.example', 'http://signet:3000/keys', 'https://id.example/status-lists/0', 'https://id.example/status-lists/0'],
  ]
  for (const [issuer, jwksUri, uri, address] of cases) {
    const { verify } = createVerifier({ issuer, audience: AUDIENCE, fetch, now: () => stub.now, ...(jwksUri !== undefined && { jwksUri }) })
    await verify(await stub.sign(undefined, { iss: issuer, status: { status_list: { idx: 0, uri } } }))
    t.equal(asked.at(-1), address)
  }
  const other = createVerifier({ issuer: 'https://id.example', audience: AUDIENCE, fetch, now: () => stub.now, jwksUri: 'http://signet:3000/.well-known/jwks.json' })
  await t.rejects(other.verify(await stub.sign(undefined, { iss: 'https://id.example', status: { status_list: { idx: 0, uri: 'http://signet:3000/status-lists/0' } } })), { code: 'missing_claim' }, 'the token names it by the issuer')
})

t.test('by default the clock is the system\'s', async t => {
  const stub = await listAuthority(t)
  const iat = Math.floor(Date.now() / 1000)
  const token = await stub.tokenAt(0, { iat, exp: iat + 600 })
  stub.answerList = stub.send(await stub.signList({ ...stub.listClaims([0]), iat, exp: iat + 300 }))
  t.match(await refusalOf(createVerifier({ issuer: stub.issuer, audience: AUDIENCE }).verify(token)), { code: 'token_revoked' })
})
