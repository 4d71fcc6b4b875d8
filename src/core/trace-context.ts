// The trace that a request is part of (W3C Trace Context, section 3.2); holds no span of ours.

/** As the log names them. */
export interface TraceParent { trace_id: string, span_id: string }

const TRACE_PARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]{2}(-.*)?$/

/** What a traceparent header says; undefined where there is none, or it is not well-formed, which is no fault of the request. What a later version says beyond this one is passed over. */
export function readTraceParent (header: string | string[] | undefined): TraceParent | undefined {
  const [, version, traceId, spanId, more] = (typeof header === 'string' && TRACE_PARENT.exec(header)) || []
  if (version === undefined || (version === '00' && more !== undefined)) return undefined
  return { trace_id: traceId!, span_id: spanId! }
}
