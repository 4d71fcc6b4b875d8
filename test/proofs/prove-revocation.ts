// `npm run prove:revocation`: how soon services that hold the public keys and nothing else notice that families were closed; holds no check of its own.
import { throwawayDatabase } from '../throwaway-database.js'
import { built } from './built.js'
import { readCount, readNames, runProof } from './command.js'
import { MARGIN, P99_MARGIN, percentile, proveRevocations, type RevocationReport, type Scenario, type Service, type ServiceReport } from './revocation-proof.js'
import { EXAMPLES } from './verifier-examples.js'
import { build, describeSkipped } from './verifier-process.js'

const SERVERS = ['1', '4']

const HELP = `Closes families in every way there is while servers are killed and started again, and services in Node.js (@signet/verifier) and Python
(examples/verify/python) check tokens all the while. Says after how many seconds they refuse what was closed.
  --rounds N       in each, every way once (default 60: less than four minutes)
  --ttl SECONDS    the setting STATUS_LIST_TTL (default 10)
  --servers LIST   1, or 4 on one store and behind one address, or both (default 1,4); the store of the four is the MongoDB that TEST_MONGODB_URL
                   names, and a file where it names none
The time when no server is up is not counted. To hold: ttl + ${P99_MARGIN} s in 99 of 100, ttl + ${MARGIN} s always, and no token that lives is refused.
A language whose programs this machine has not is skipped, and named in the last lines.
Exit code: 0 all of that holds, 1 something does not, 2 wrong use.
`

const NODE: Service = {
  example: { language: '@signet/verifier', folder: '.', needs: [], build: [], run: [process.execPath, 'test/proofs/verifier-service.js'] },
  revoked: 'refused token_revoked',
}
/** PyJWT keeps keys for five minutes and outlives no outage: where a run is longer, it may refuse tokens that live because the only server is down as it fetches them anew. */
const PYTHON: Service = {
  example: EXAMPLES.find(({ language }) => language === 'python')!,
  revoked: "refused InvalidTokenError('the token was revoked')",
}

async function buildServices (): Promise<{ services: Service[], skipped: string }> {
  const { missing, wrong: [failure] } = await build(PYTHON.example)
  if (failure) throw new Error(`python ${failure}`)
  return missing.length > 0 ? { services: [NODE], skipped: describeSkipped('python', missing) } : { services: [NODE, PYTHON], skipped: '' }
}

async function prove (scenario: Scenario, services: Service[]): Promise<RevocationReport> {
  const url = scenario.servers > 1 ? process.env['TEST_MONGODB_URL'] : undefined
  const database = url ? throwawayDatabase(url) : undefined
  const parts = { services, server: built('signet/server'), progress: (rounds: number) => { process.stderr.write(`\r${rounds} rounds`) } }
  return await proveRevocations({ ...scenario, ...(database && { databaseUrl: database.url }) }, parts).finally(async () => { await database?.drop() })
}

function describe ({ name, checks, delays, refusedLive, acceptedBeyond }: ServiceReport, ttl: number): string {
  const [p50, p99, max] = [0.5, 0.99, 1].map(part => percentile(delays, part).toFixed(2))
  return `  ${name}: noticed after p50 ${p50} s, p99 ${p99} s, max ${max} s; ${checks} checks; live tokens refused: ${refusedLive}; closed tokens accepted after ${ttl + MARGIN} s: ${acceptedBeyond}\n`
}

/** What was to hold and does not, in sentences. */
function shortfalls ({ services, failed }: RevocationReport, ttl: number): string[] {
  return [...failed, ...services.flatMap(({ name, delays, refusedLive, acceptedBeyond }) => [
    ...(percentile(delays, 0.99) <= ttl + P99_MARGIN ? [] : [`${name} did not notice 99 closings of 100 within ${ttl + P99_MARGIN} s`]),
    ...(percentile(delays, 1) <= ttl + MARGIN ? [] : [`${name} did not notice every closing within ${ttl + MARGIN} s`]),
    ...(refusedLive === 0 ? [] : [`${name} refused tokens that live`]),
    ...(acceptedBeyond === 0 ? [] : [`${name} accepted tokens that were closed long before`]),
  ])]
}

const OPTIONS = { rounds: { type: 'string', default: '60' }, ttl: { type: 'string', default: '10' }, servers: { type: 'string', default: SERVERS.join() } } as const

await runProof(HELP, OPTIONS, async wish => {
  const [rounds, ttl, servers] = [readCount('rounds', wish.rounds), readCount('ttl', wish.ttl), readNames('servers', wish.servers, SERVERS).map(Number)]
  const { services, skipped } = await buildServices()
  let failures = 0
  for (const count of servers) {
    const report = await prove({ servers: count, rounds, ttl }, services)
    const store = count > 1 && process.env['TEST_MONGODB_URL'] ? 'MongoDB' : 'one file'
    const faults = shortfalls(report, ttl)
    process.stderr.write('\r')
    process.stdout.write(`${count} ${count > 1 ? 'servers' : 'server'} on ${store}, ttl ${ttl} s: ${report.closed} families closed, ${report.unanswered} closings unanswered; ${report.kills} kills, no server up for ${report.outage.toFixed(1)} s\n`)
    process.stdout.write(report.services.map(service => describe(service, ttl)).join(''))
    process.stdout.write([...new Set(faults)].slice(0, 10).map(sentence => `- ${sentence}\n`).join(''))
    failures += faults.length
  }
  process.stdout.write(skipped)
  return failures === 0 ? 0 : 1
})
