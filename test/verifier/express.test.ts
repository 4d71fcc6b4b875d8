// What a route of Express answers behind the middleware, to whom, over a real socket.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import t, { type Test } from 'tap'
import { requireToken, tokenOf, type GuardOptions } from '../../src/verifier/express.js'
import type { TokenVerificationError } from '../../src/verifier/token-verification-error.js'
import { AUDIENCE, authority, down, SECONDS } from './authority.js'
import { listAuthority } from './list-authority.js'
import { runningSignet } from './running-signet.js'
import { warning } from './warning.js'

interface Refused { code: string, cause: unknown, url: string | undefined }

/** Serves until the test ends, and asks of it. */
async function listen (test: Test, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.teardown(() => { server.close() })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return async (authorization?: string, path = '/orders') => {
    const response = await fetch(`${url}${path}`, { headers: { connection: 'close', ...(authorization !== undefined && { authorization }) } })
    return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.json() as unknown }
  }
}

async function service (test: Test, options: GuardOptions) {
  const [refused, app] = [[] as Refused[], express()]
  const guard = requireToken({ ...options, onRefused: ({ code, cause }: TokenVerificationError, { url }: IncomingMessage) => { refused.push({ code, cause, url }) } })
  let served = 0
  app.get('/orders', guard, (request, response) => {
    served++
    const { sub, sid } = tokenOf(request)
    response.json({ user: sub, device: sid })
  })
  app.get('/open', (request, response) => { response.json(tokenOf(request)) })
  app.get('/broken', guard, () => { throw new Error('a fault of the handler') })
  app.use((error: Error, _request: unknown, response: express.Response, _next: unknown) => { response.status(500).json({ message: error.message }) })
  const get = await listen(test, app)
  return { get, refused, served: () => served }
}

const problem = (detail: string) => ({ type: 'about:blank', title: 'Unauthorized', status: 401, detail, code: 'invalid_token' })

t.test('a good token of a running Signet opens the route, and the handler has its claims', async t => {
  const { user, token, options } = await runningSignet(t)
  const { get, refused } = await service(t, options)
  for (const scheme of ['Bearer', 'bearer', 'BEARER ']) t.match(await get(`${scheme} ${token}`), { status: 200, body: { user: user.id, device: /^[\da-f-]{36}$/ } }, scheme)
  t.strictSame(refused, [])
})

t.test('who brings no bearer token is told what is needed and no error', async t => {
  const { issuer } = await authority(t)
  const { get, served, refused } = await service(t, { issuer, audience: AUDIENCE })
  for (const authorization of [undefined, '', 'Basic eA==', 'Bearerx']) {
    const { status, headers, body } = await get(authorization)
    t.strictSame([status, body], [401, problem('An access token is needed: send it as Authorization: Bearer.')], authorization ?? 'nothing')
    t.match(headers, { 'www-authenticate': /^Bearer realm="signet"$/, 'content-type': 'application/problem+json; charset=utf-8', 'cache-control': 'no-store' })
  }
  t.strictSame([served(), refused], [0, []])
})

t.test('who brings a bad token is told why, and so is the service', async t => {
  const { issuer, sign, now } = await authority(t)
  const { get, served, refused } = await service(t, { issuer, audience: AUDIENCE, now: () => now })
  const bad: Array<[token: string, code: string, detail: string]> = [
    ['x', 'malformed_token', 'The token is not a signed JWT.'],
    [await sign(undefined, { exp: SECONDS }), 'token_expired', 'The token has expired.'],
    [await sign(undefined, { aud: 'b"\r\nx: y' }), 'wrong_audience', "The token was issued for 'b%22%0D%0Ax: y', not for 'orders'."],
  ]
  for (const [token, code, detail] of bad) {
    const { status, headers, body } = await get(`Bearer ${token}`)
    t.strictSame([status, body], [401, problem(detail)], code)
    t.equal(headers['www-authenticate'], `Bearer realm="signet", error="invalid_token", error_description="${detail}"`)
    t.match(refused.at(-1), { code, url: '/orders' })
  }
  t.equal(served(), 0)
})

t.test('without the keys of the authority nobody is refused for good', async t => {
  const stub = await authority(t)
  stub.answer = down
  const { get, served, refused } = await service(t, { issuer: stub.issuer, audience: AUDIENCE, now: () => stub.now })
  const good = `Bearer ${await stub.sign()}`
  const { status, headers, body } = await get(good)
  const detail = 'The keys that verify tokens cannot be fetched; try again in a moment.'
  t.strictSame([status, body], [503, { type: 'about:blank', title: 'Service Unavailable', status: 503, detail, code: 'unavailable' }])
  t.match(headers, { 'retry-after': '10', 'content-type': 'application/problem+json; charset=utf-8', 'cache-control': 'no-store' })
  t.notOk(headers['www-authenticate'])
  t.match(refused, [{ code: 'keys_unavailable', cause: { message: 'fetch failed' } }])
  t.equal(served(), 0)
  stub.answer = stub.serveKeys
  stub.now += 10_000
  t.equal((await get(good)).status, 200)
})

t.test('who brings a token of a log-in that has ended is told so; without the list the policy decides', async t => {
  const stub = await listAuthority(t)
  await stub.publish([1])
  const options = { issuer: stub.issuer, audience: AUDIENCE, now: () => stub.now }
  const { get, refused } = await service(t, options)
  t.equal((await get(`Bearer ${await stub.tokenAt(0)}`)).status, 200)
  const { status, headers, body } = await get(`Bearer ${await stub.tokenAt(1)}`)
  const detail = 'The token was revoked: its log-in has ended.'
  t.strictSame([status, body], [401, problem(detail)])
  t.equal(headers['www-authenticate'], `Bearer realm="signet", error="invalid_token", error_description="${detail}"`)
  t.match(refused, [{ code: 'token_revoked' }])
  stub.answerList = down
  const heard: unknown[] = []
  const lenient = await service(t, { ...options, onStatusUnchecked: ({ sub }, cause) => { heard.push([sub, String(cause)]) } })
  t.equal((await lenient.get(`Bearer ${await stub.tokenAt(1)}`)).status, 200)
  t.strictSame(heard, [['user', 'TypeError: fetch failed']])
  const strict = await service(t, { ...options, onStatusUnavailable: 'refuse' })
  t.match(await strict.get(`Bearer ${await stub.tokenAt(1)}`), { status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable', detail: 'Whether the token was revoked cannot be found out; try again in a moment.' } })
  t.match(strict.refused, [{ code: 'status_unavailable', cause: { message: 'fetch failed' } }])
})

t.test('a handler that throws, or asks for the token of a route without a guard, fails as any other', async t => {
  const { issuer, sign, now } = await authority(t)
  const { get } = await service(t, { issuer, audience: AUDIENCE, now: () => now })
  const good = `Bearer ${await sign()}`
  t.match(await get(good, '/open'), { status: 500, body: { message: 'tokenOf was asked on a route that requireToken does not guard.' } })
  t.match(await get(good, '/broken'), { status: 500, body: { message: 'a fault of the handler' } })
})

t.test('a listener of refusals that fails changes no answer, and ends no service that lets go of the promise', async t => {
  const { issuer } = await authority(t)
  for (const onRefused of [() => { throw new Error('a fault of the listener') }, async () => await Promise.reject(new Error('a fault of the listener'))]) {
    const guard = requireToken({ issuer, audience: AUDIENCE, onRefused })
    const outcomes: Array<Promise<void>> = []
    const get = await listen(t, (request, response) => { outcomes.push(guard(request, response, () => { t.fail('it was let through') })) })
    const warned = warning('SignetWarning')
    t.match(await get('Bearer x'), { status: 401, body: { code: 'invalid_token' } })
    t.match(await warned, { message: /^onRefused failed: Error: a fault of the listener/ })
    t.strictSame(await Promise.allSettled(outcomes), [{ status: 'fulfilled', value: undefined }])
  }
})

t.test('who was answered while the keys were fetched is not answered again', async t => {
  const stub = await authority(t)
  stub.answer = down
  const guard = requireToken({ issuer: stub.issuer, audience: AUDIENCE, now: () => stub.now })
  const outcomes: Array<Promise<void>> = []
  const get = await listen(t, (request, response) => {
    outcomes.push(guard(request, response, () => { t.fail('it was let through') }))
    response.end('"a time limit"')
  })
  t.match(await get(`Bearer ${await stub.sign()}`), { status: 200, body: 'a time limit' })
  t.strictSame(await Promise.allSettled(outcomes), [{ status: 'fulfilled', value: undefined }])
})

t.test('it needs no Express, and nobody to hear of refusals', async t => {
  const { issuer, sign, now } = await authority(t)
  const guard = requireToken({ issuer, audience: AUDIENCE, now: () => now })
  const get = await listen(t, (request, response) => { void guard(request, response, () => { response.end(JSON.stringify(tokenOf(request))) }) })
  t.match(await get(`Bearer ${await sign()}`), { status: 200, body: { sub: 'user' } })
  t.match(await get('Bearer x'), { status: 401, body: { code: 'invalid_token' } })
})

t.test('an option that cannot be used is said at once', async t => {
  t.throws(() => requireToken({ issuer: 'id.example', audience: AUDIENCE }), { message: 'The option issuer must be an http or https URL.' })
})
