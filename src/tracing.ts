// The trace of a request, handed on to whatever traces what Signet asks of others (OpenTelemetry); holds no span and no exporter.
import type { RequestListener } from 'node:http'

/** Where an SDK registers itself, and every copy of the API's first version looks. Asked first, for to load the API takes longer than all else that a start does for it. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1')

/** Serves a request within its trace. */
export type WithinTrace = (serve: RequestListener) => RequestListener

/**
 * How requests are served within their traces; undefined where @opentelemetry/api is not installed, or nobody has registered an SDK with it. That is looked at once, so that it costs nothing where nobody traces.
 * `load` loads the API.
 */
export async function findTracing (load = async () => await import('@opentelemetry/api')): Promise<WithinTrace | undefined> {
  if (!(REGISTERED in globalThis)) return undefined
  const api = await load().catch(() => undefined)
  if (!api) return undefined
  const { context, createContextKey, propagation, trace } = api
  const probe = createContextKey('signet')
  const isKept = context.with(context.active().setValue(probe, true), () => context.active().getValue(probe))
  if (!isKept) return undefined
  return serve => (request, response) => {
    // Who instruments Node's servers has begun a span of the same trace already.
    if (trace.getActiveSpan()) serve(request, response)
    else context.with(propagation.extract(context.active(), request.headers), serve, undefined, request, response)
  }
}
