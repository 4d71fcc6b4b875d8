// What a guarded route answers, to whom.
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import signet from '../../src/verifier/fastify.js'
import type { VerifierOptions } from '../../src/verifier/verifier.js'
import { ask } from '../server-process.js'
import { AUDIENCE, authority, down, SECONDS } from './authority.js'
import { listAuthority } from './list-authority.js'
import { runningSignet } from './running-signet.js'

async function service (test: Test, options: VerifierOptions) {
  const lines: Array<Record<string, unknown>> = []
  const app = Fastify({ logger: { stream: { write: (line: string) => { lines.push(JSON.parse(line) as Record<string, unknown>) } } }, genReqId: () => 'request', disableRequestLogging: true })
  test.teardown(async () => { await app.close() })
  await app.register(signet, options)
  let served = 0
  app.get('/orders', { onRequest: app.requireToken }, async ({ token }) => {
    served++
    return { user: token.sub, device: token.sid }
  })
  app.get('/open', async ({ token }) => token)
  await app.register(async child => { child.get('/child', { preHandler: [child.requireToken] }, async ({ token }) => ({ user: token.sub })) })
  const get = async (authorization?: string, url = '/orders') => await app.inject({ url, headers: { ...(authorization !== undefined && { authorization }) } })
  return { get, lines, served: () => served }
}

const problem = (detail: string) => ({ type: 'about:blank', title: 'Unauthorized', status: 401, detail, code: 'invalid_token', request_id: 'request' })

t.test('a good token of a running Signet opens the route, and the handler has its claims', async t => {
  const { url, user, token, options } = await runningSignet(t)
  const { get } = await service(t, options)
  const { body } = await ask(`${url}/tokens`, undefined, token)
  const [{ id: device }] = (body as { tokens: [{ id: string }] }).tokens
  for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
    const answer = await get(`${scheme} ${token}`)
    t.strictSame([answer.statusCode, answer.json()], [200, { user: user.id, device }], scheme)
  }
  t.strictSame((await get(`Bearer ${token}`, '/child')).json(), { user: user.id }, 'in a plugin of the service too')
  t.equal((await ask(`${url}/logout`, undefined, token, 'POST')).status, 204)
  t.equal((await get(`Bearer ${token}`)).statusCode, 200, 'a log-out is not seen until the token expires')
})

t.test('who brings no bearer token is told what is needed and no error', async t => {
  const { issuer } = await authority(t)
  const { get, served, lines } = await service(t, { issuer, audience: AUDIENCE })
  for (const authorization of [undefined, '', 'Basic eA==', 'Bearerx']) {
    const answer = await get(authorization)
    t.strictSame([answer.statusCode, answer.json()], [401, problem('An access token is needed: send it as Authorization: Bearer.')], authorization ?? 'nothing')
    t.match(answer.headers, { 'www-authenticate': /^Bearer realm="signet"$/, 'content-type': 'application/problem+json; charset=utf-8', 'cache-control': 'no-store' })
  }
  t.equal(served(), 0)
  t.strictSame(lines, [])
})

t.test('who brings a bad token is told why, and so is the log', async t => {
  const { issuer, sign, two, now } = await authority(t)
  const { get, served, lines } = await service(t, { issuer, audience: AUDIENCE, now: () => now })
  const refused: Array<[authorization: string, code: string, detail: string]> = [
    ['Bearer', 'malformed_token', 'The token is not a signed JWT.'],
    ['Bearer two words', 'malformed_token', 'The token is not a signed JWT.'],
    [`Bearer ${await sign(undefined, { exp: SECONDS })}`, 'token_expired', 'The token has expired.'],
    [`Bearer ${await sign(undefined, { aud: 'billing' })}`, 'wrong_audience', "The token was issued for 'billing', not for 'orders'."],
    [`Bearer ${await sign(undefined, { iss: 'a"\r\nx: y' })}`, 'wrong_issuer', `The token was issued by 'a%22%0D%0Ax: y', not by '${issuer}'.`],
    [`Bearer ${await sign(two)}`, 'unknown_key', 'The token names no key that its issuer publishes.'],
    [`Bearer ${await sign(two, {}, { kid: 'one' })}`, 'bad_signature', 'The signature of the token does not match.'],
    [`Bearer ${await sign(undefined, { sub: 1 })}`, 'missing_claim', 'The token lacks claims, or has them in another form: sub.'],
  ]
  for (const [authorization, code, detail] of refused) {
    const answer = await get(authorization)
    t.strictSame([answer.statusCode, answer.json()], [401, problem(detail)], code)
    t.match(answer.headers, { 'content-type': 'application/problem+json; charset=utf-8', 'cache-control': 'no-store' })
    t.equal(answer.headers['www-authenticate'], `Bearer realm="signet", error="invalid_token", error_description="${detail}"`)
    t.match(lines.at(-1), { level: 30, request_id: 'request', code, detail, msg: 'token refused' })
    t.notMatch(JSON.stringify(lines), authorization.slice(7) || 'eyJ', 'the log holds no token')
  }
  t.equal(served(), 0)
})

t.test('without the keys of the authority nobody is refused for good', async t => {
  const stub = await authority(t)
  stub.answer = down
  const { get, served, lines } = await service(t, { issuer: stub.issuer, audience: AUDIENCE, now: () => stub.now })
  const good = `Bearer ${await stub.sign()}`
  const detail = 'The keys that verify tokens cannot be fetched; try again in a moment.'
  const answer = await get(good)
  t.strictSame([answer.statusCode, answer.json()], [503, { type: 'about:blank', title: 'Service Unavailable', status: 503, detail, code: 'unavailable', request_id: 'request' }])
  t.match(answer.headers, { 'retry-after': '10', 'content-type': 'application/problem+json; charset=utf-8', 'cache-control': 'no-store' })
  t.notOk(answer.headers['www-authenticate'])
  t.match(lines.at(-1), { level: 50, request_id: 'request', err: { code: 'keys_unavailable', stack: /fetch failed/ }, msg: 'token not verified' })
  t.equal(served(), 0)
  stub.answer = stub.serveKeys
  stub.now += 10_000
  t.equal((await get(good)).statusCode, 200)
})

t.test('who brings a token of a log-in that has ended is told so', async t => {
  const stub = await listAuthority(t)
  await stub.publish([1])
  const { get, served, lines } = await service(t, { issuer: stub.issuer, audience: AUDIENCE, now: () => stub.now })
  t.equal((await get(`Bearer ${await stub.tokenAt(0)}`)).statusCode, 200)
  const answer = await get(`Bearer ${await stub.tokenAt(1)}`)
  const detail = 'The token was revoked: its log-in has ended.'
  t.strictSame([answer.statusCode, answer.json()], [401, problem(detail)])
  t.equal(answer.headers['www-authenticate'], `Bearer realm="signet", error="invalid_token", error_description="${detail}"`)
  t.match(lines.at(-1), { level: 30, code: 'token_revoked', msg: 'token refused' })
  t.equal(served(), 1)
})

t.test('without the status list a token is accepted, which the log says once a minute, and whom the options name hears each time', async t => {
  const stub = await listAuthority(t)
  stub.answerList = down
  const heard: unknown[] = []
  const told = await service(t, { issuer: stub.issuer, audience: AUDIENCE, now: () => stub.now, onStatusUnchecked: ({ sub }, cause) => { heard.push([sub, String(cause)]) } })
  const token = await stub.tokenAt(0)
  for (const milliseconds of [0, 0, 59_999]) {
    stub.now += milliseconds
    t.equal((await told.get(`Bearer ${token}`)).statusCode, 200)
  }
  const warning = { level: 40, status_list: stub.uri, err: { message: 'fetch failed' }, msg: 'token accepted without its status list' }
  t.match(told.lines, [warning])
  t.equal(told.lines.length, 1)
  stub.now += 1
  await told.get(`Bearer ${token}`)
  t.match(told.lines, [warning, warning])
  t.strictSame(heard, Array(4).fill(['user', 'TypeError: fetch failed']))
  const silent = await service(t, { issuer: stub.issuer, audience: AUDIENCE })
  const iat = Math.floor(Date.now() / 1000)
  t.equal((await silent.get(`Bearer ${await stub.tokenAt(0, { iat, exp: iat + 600 })}`)).statusCode, 200)
  t.match(silent.lines, [warning], 'with nobody to hear, by the system\'s clock')
})

t.test('where the policy is to refuse, a token without its list is refused for now', async t => {
  const stub = await listAuthority(t)
  stub.answerList = down
  const { get, lines } = await service(t, { issuer: stub.issuer, audience: AUDIENCE, now: () => stub.now, onStatusUnavailable: 'refuse' })
  const answer = await get(`Bearer ${await stub.tokenAt(0)}`)
  const detail = 'Whether the token was revoked cannot be found out; try again in a moment.'
  t.strictSame([answer.statusCode, answer.json()], [503, { type: 'about:blank', title: 'Service Unavailable', status: 503, detail, code: 'unavailable', request_id: 'request' }])
  t.match(answer.headers, { 'retry-after': '1', 'cache-control': 'no-store' })
  t.match(lines, [{ level: 50, err: { code: 'status_unavailable', stack: /fetch failed/ }, msg: 'token not verified' }])
})

t.test('a handler that reads the token of a route without a guard fails, whatever was sent', async t => {
  const { issuer, sign, now } = await authority(t)
  const { get } = await service(t, { issuer, audience: AUDIENCE, now: () => now })
  const answer = await get(`Bearer ${await sign()}`, '/open')
  t.match([answer.statusCode, answer.json()], [500, { message: 'request.token was read on a route that requireToken does not guard.' }])
})

t.test('a service with an option that cannot be used does not start', async t => {
  await t.rejects(service(t, { issuer: 'id.example', audience: AUDIENCE }), { message: 'The option issuer must be an http or https URL.' })
  await t.rejects(service(t, { issuer: 'https://id.example', audience: AUDIENCE, onStatusUnchecked: 'warn' as unknown as () => void }), { name: 'TypeError', message: 'The option onStatusUnchecked must be a function.' })
})
