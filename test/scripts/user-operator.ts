// An operator with a store, a key ring and the commands on users, each a process of its own; holds no test.
import { join } from 'node:path'
import type { Test } from 'tap'
import { openStore } from '../../src/store/open-store.js'
import type { Store } from '../../src/store/store.js'
import { plainNode } from '../compiled.js'
import { copyRing } from '../keyring/rings.js'
import { startProgram, type Ending } from '../program.js'
import { workingFolder } from '../working-folder.js'

export const COMMANDS = ['list', 'show', 'add', 'disable', 'enable', 'sign-out', 'delete', 'set-roles', 'reset-password', 'export']
export const ISSUER = 'https://id.example/signet'

/** An operator in a folder with a key ring, whose store is a file there, or this one. */
export async function userOperator (t: Test, url?: string) {
  const folder = workingFolder(t)
  const env = { DATABASE_URL: url ?? `file:${join(folder, 'signet.db')}`, KEYS_DIR: join(folder, 'keys'), ISSUER, BCRYPT_COST: '4' }
  await copyRing(env.KEYS_DIR, Date.now())
  const run = async (command: string, ...args: string[]): Promise<Ending> => {
    const { child, ended } = startProgram([...plainNode(`scripts/users-${command}.ts`), ...args], { cwd: folder, env })
    child.stdin.end()
    return await ended
  }
  /** What a command answers a machine, with its exit code. */
  const json = async (command: string, ...args: string[]): Promise<Record<string, unknown>> => {
    const { code, out } = await run(command, ...args, '--json')
    return { code, ...JSON.parse(out) as Record<string, unknown> }
  }
  /** What the store answers. */
  const stored = async <Result>(ask: (store: Store) => Promise<Result>): Promise<Result> => {
    const store = await openStore(env.DATABASE_URL)
    try {
      return await ask(store)
    } finally {
      await store.close()
    }
  }
  return { folder, env, run, json, stored }
}
