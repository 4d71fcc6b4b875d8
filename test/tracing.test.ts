// The trace that a request comes with is that of all that Signet asks of others for it, where somebody traces.
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import t, { type Test } from 'tap'
import { findTracing } from '../src/tracing.js'
import { EMAIL, PASSWORD, testApp } from './test-app.js'
import { openStore } from '../src/store/open-store.js'

const [TRACE, SPAN] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']

/** What an SDK does when it is registered, without what exports. */
function register (t: Test): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  t.teardown(() => {
    context.disable()
    propagation.disable()
  })
}

t.test('where nobody has registered an SDK the API is not even loaded', async t => {
  t.equal(await findTracing(async () => { throw new Error('loaded') }), undefined)
})

t.test('nothing is done where the API is not installed here, or no SDK keeps a context', async t => {
  register(t)
  t.equal(await findTracing(async () => { throw new Error('Cannot find package') }), undefined)
  context.disable()
  t.equal(await findTracing(), undefined)
})

t.test('what the store is asked is asked within the trace of the request, however many there are at once', async t => {
  register(t)
  const asked: Array<[email: string, trace: string | undefined, parent: string | undefined]> = []
  const store = await openStore(`file:${t.testdir()}/traced.db`)
  const find = store.findUserByEmail.bind(store)
  store.findUserByEmail = async email => {
    await new Promise(setImmediate)
    const span = trace.getSpanContext(context.active())
    asked.push([email, span?.traceId, span?.spanId])
    return await find(email)
  }
  const signet = await testApp(t, {}, { store, withinTrace: (await findTracing())! })
  await signet.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = signet.app.server.address() as AddressInfo
  const login = async (email: string, headers: Record<string, string>) => {
    const [response] = await once(request({ host: '127.0.0.1', port, path: '/login', method: 'POST', headers: { 'content-type': 'application/json', ...headers }, agent: false }).end(JSON.stringify({ email, password: PASSWORD })), 'response') as [IncomingMessage]
    await once(response.resume(), 'end')
    return response.statusCode
  }
  const traces = Array.from({ length: 5 }, (_, at) => TRACE.replace('4', String(at)))
  t.strictSame(new Set(await Promise.all([...traces.map(async (id, at) => await login(`${at}${EMAIL}`, { traceparent: `00-${id}-${SPAN}-01` })), login(`5${EMAIL}`, {}), login(`6${EMAIL}`, { traceparent: 'nonsense' })])), new Set([401]))
  for (const [email, ...trace] of asked) t.strictSame(trace, Number(email[0]) < 5 ? [traces[Number(email[0])], SPAN] : [undefined, undefined], email)
  t.equal(new Set(asked.map(([email]) => email)).size, 7)
})

t.test('a span that has begun for the request stays its parent', async t => {
  register(t)
  const serve = (await findTracing())!(() => { seen.push(trace.getSpanContext(context.active())?.spanId) })
  const seen: Array<string | undefined> = []
  const incoming = { headers: { traceparent: `00-${TRACE}-${SPAN}-01` } } as unknown as IncomingMessage
  const own = trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE, spanId: 'b7ad6b7169203331', traceFlags: 1 })
  context.with(own, () => { serve(incoming, {} as never) })
  serve(incoming, {} as never)
  t.strictSame(seen, ['b7ad6b7169203331', SPAN])
})

t.test('the lines of a request in the log name its trace, where what came is one', async t => {
  const { app, lines } = await testApp(t, { LOG_LEVEL: 'debug' })
  for (const traceparent of [`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01-more`]) await app.inject({ method: 'GET', url: '/nowhere', headers: { traceparent } })
  const told = lines.map(line => JSON.parse(line) as Record<string, unknown>).filter(({ request_id: id }) => id !== undefined)
  t.strictSame(told.map(({ msg, trace_id: id, span_id: span }) => [msg, id, span]), [
    ['request refused', TRACE, SPAN], ['request answered', TRACE, SPAN], ['request refused', undefined, undefined], ['request answered', undefined, undefined],
  ])
})
