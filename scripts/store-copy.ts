// `npm run store:copy`: moves users, clients and security events from one store to another, which is how one outgrows the embedded file; holds no rule of the copy.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { copyStore, type CopyReport } from '../src/store/copy-store.js'
import { openStore } from '../src/store/open-store.js'
import type { Store } from '../src/store/store.js'
import { withCause } from './command.js'

const HELP = `Copies users and their families, clients, and security events, from one store to another: npm run store:copy -- FROM TO [--merge]
  FROM, TO   what DATABASE_URL takes: file:PATH, mongodb://… or mongodb+srv://…
  --merge    write into a store that holds other users or clients, too; theirs are left as they are
To go on with the copy, stop Signet first; a backup may be made while it runs. A copy that was interrupted is resumed by the same command, and one that is complete changes nothing.
Exit code: 0 copied and verified, 1 refused or not verified, 2 wrong use.
`
const SHOWN = 10

interface Wish { from: string, to: string, strangers: 'refuse' | 'merge' }

function readWish (): Wish | undefined {
  try {
    const { values, positionals: [from, to, ...rest] } = parseArgs({ allowPositionals: true, options: { merge: { type: 'boolean' }, help: { type: 'boolean' } } })
    if (values.help || !from || !to || rest.length > 0) return undefined
    return { from, to, strangers: values.merge ? 'merge' : 'refuse' }
  } catch {
    return undefined
  }
}

async function openSource (url: string): Promise<Store> {
  const path = url.replace(/^file:/, '')
  if (path !== url && !existsSync(path)) throw new Error(`There is no store in ${path}.`)
  return await openStore(url)
}

function sentences ({ users, copied, missing, differing, clients, events }: CopyReport): string {
  const some = (ids: string[]) => ids.slice(0, SHOWN).join(', ') + (ids.length > SHOWN ? ', …' : '')
  return [
    `${users} users; ${copied} copied now, ${users - copied - missing.length} there before.`,
    ...missing.length > 0 ? [`${missing.length} not copied, for another user has their address: ${some(missing)}.`] : [],
    ...differing.length > 0 ? [`${differing.length} differ from the source and were left as they are: ${some(differing)}.`] : [],
    ...clients.count > 0 ? [`${clients.count} clients; ${clients.copied} copied now, ${clients.count - clients.copied} there before.`] : [],
    ...clients.differing.length > 0 ? [`${clients.differing.length} clients differ from the source and were left as they are: ${some(clients.differing)}.`] : [],
    ...events > 0 ? [`${events} security events, those among them that were there before.`] : [],
    ...missing.length + differing.length + clients.differing.length === 0 ? ['Verified by count and by a digest a user.'] : [],
  ].join('\n')
}

async function main (): Promise<number> {
  const wish = readWish()
  if (!wish) {
    process.stderr.write(HELP)
    return process.argv.includes('--help') ? 0 : 2
  }
  const [from, to] = [await openSource(wish.from), await openStore(wish.to)]
  try {
    for (const store of [from, to]) await store.ping()
    const report = await copyStore({ from, to, strangers: wish.strangers, progress: users => { process.stderr.write(`\r${users} users`) } })
    process.stderr.write('\n')
    process.stdout.write(`${sentences(report)}\n`)
    return report.missing.length + report.differing.length + report.clients.differing.length === 0 ? 0 : 1
  } finally {
    await Promise.all([from.close(), to.close()])
  }
}

main().then(code => { process.exitCode = code }, (error: Error) => {
  process.stderr.write(`${withCause(error)}\n`)
  process.exitCode = 1
})
