// A traceparent is read as W3C's Trace Context has it; whatever else comes is nobody's trace, and no fault of the request.
import t from 'tap'
import { readTraceParent } from '../../src/core/trace-context.js'

const [TRACE, SPAN] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']
const GOOD = `00-${TRACE}-${SPAN}-01`

t.test('a well-formed one is read, whatever its flags, and of a later version as much as is known', async t => {
  for (const header of [GOOD, `00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-ff`, `01-${TRACE}-${SPAN}-01`, `cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, `cc-${TRACE}-${SPAN}-01-`]) {
    t.strictSame(readTraceParent(header), { trace_id: TRACE, span_id: SPAN }, header)
  }
})

t.test('any other is passed over', async t => {
  const wrong = [
    undefined, '', [GOOD], [], `${GOOD}, ${GOOD}`, ` ${GOOD}`, `${GOOD} `, `${GOOD}-`, `${GOOD}-more`, GOOD.toUpperCase(), `ff-${TRACE}-${SPAN}-01`, `0-${TRACE}-${SPAN}-01`, `.0-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`, `00-${TRACE}-${'0'.repeat(16)}-01`, `00-${TRACE.slice(1)}-${SPAN}-01`, `00-${TRACE}0-${SPAN}-01`, `00-${TRACE}-${SPAN}0-01`, `00-${TRACE}-${SPAN}-1`, `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-0g`, `cc-${TRACE}-${SPAN}-01.more`, `00-${TRACE.replace('4', 'x')}-${SPAN}-01`, '0'.repeat(100_000),
  ]
  for (const header of wrong) t.equal(readTraceParent(header), undefined, String(header).slice(0, 80))
})
