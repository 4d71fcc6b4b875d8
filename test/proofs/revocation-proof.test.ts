// Services notice what was closed, and the proof sees those that do not; hundreds of closings are `npm run prove:revocation`.
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { compiled } from '../compiled.js'
import { SERVER } from '../server-process.js'
import type { LiveSignet } from './live-signet.js'
import { proveRevocations, type Service, type ServiceReport } from './revocation-proof.js'
import { StatusFront } from './status-front.js'

/** What is compiled of the package's source. */
const NODE: Service = {
  example: { language: 'node', folder: '.', needs: [], build: [], run: ['env', '-u', 'NODE_OPTIONS', process.execPath, 'test/proofs/verifier-service.js', compiled('src/verifier/verifier.ts')] },
  revoked: 'refused token_revoked',
}
const IGNORANT: Service = { ...NODE, example: { ...NODE.example, language: 'ignorant' }, options: { status: 'ignore' } }
const parts = { services: [NODE], server: SERVER, progress: () => {} }

/** Each way once in a round, two of which close two families; what a kill left unanswered is not among them. */
const FAMILIES_PER_ROUND = 8

t.test('services notice each way to close, and live tokens stay good, while the only server is killed; and one that ignores the status is seen', async t => {
  const { services, failed, closed, kills } = await proveRevocations({ servers: 1, rounds: 2, ttl: 1 }, { ...parts, services: [NODE, IGNORANT] })
  const [honest, ignorant] = services as [ServiceReport, ServiceReport]
  t.strictSame(failed, [])
  t.equal(kills, 1)
  t.ok(closed > FAMILIES_PER_ROUND, `${closed} families were closed`)
  t.match(honest, { delays: { length: closed }, refusedLive: 0, acceptedBeyond: 0 })
  t.match(ignorant, { delays: { length: 0 }, refusedLive: 0 })
  t.ok(ignorant.acceptedBeyond >= closed, `${ignorant.acceptedBeyond} tokens of ${closed} families`)
})

t.test('services notice what any of four servers closed, behind one address, while some are killed', async t => {
  const { services, failed, closed, kills } = await proveRevocations({ servers: 4, rounds: 2, ttl: 1 }, parts)
  t.strictSame(failed, [])
  t.ok(kills > 0)
  t.match(services, [{ delays: { length: closed }, refusedLive: 0, acceptedBeyond: 0 }])
})

t.test('the proof sees a server whose lists are never renewed', async t => {
  const openFront = async ([signet]: LiveSignet[]) => {
    const front = await StatusFront.open(signet!.url)
    front.serve(0, { body: await firstList(signet!) })
    return front
  }
  const { services, closed } = await proveRevocations({ servers: 1, rounds: 1, ttl: 1 }, { ...parts, openFront })
  t.equal(closed, FAMILIES_PER_ROUND)
  t.match(services, [{ delays: { length: 0 }, refusedLive: 0, acceptedBeyond: FAMILIES_PER_ROUND }])
})

t.test('the proof sees a live token that is refused', async t => {
  const wrong = { ...NODE, options: { audience: 'another' } }
  const { services, failed } = await proveRevocations({ servers: 1, rounds: 1, ttl: 1 }, { ...parts, services: [wrong] })
  t.ok(services[0]!.refusedLive > FAMILIES_PER_ROUND)
  t.strictSame(failed, ['node refused wrong_audience'])
})

async function firstList (signet: LiveSignet): Promise<string> {
  for (;;) {
    const answer = await fetch(`${signet.url}/status-lists/0`)
    if (answer.ok) return await answer.text()
    await pause(50)
  }
}
