// An operator with a key ring and its commands, each a process of its own; holds no test.
import { join } from 'node:path'
import type { Test } from 'tap'
import type { KeyKind } from '../../src/core/key-life-cycle.js'
import { keysOf, readManifest } from '../../src/keyring/ring-files.js'
import { plainNode } from '../compiled.js'
import { copyRing } from '../keyring/rings.js'
import { startProgram, type Ending } from '../program.js'
import { workingFolder } from '../working-folder.js'

export const MINUTE = 60_000
export const COMMANDS = ['generate', 'rotate', 'list', 'prune', 'revoke']

/** An operator with a folder of keys, in which a ring was made `age` milliseconds ago. */
export async function operator (t: Test, age?: number, env: Record<string, string> = {}) {
  const folder = join(workingFolder(t), 'keys')
  if (age !== undefined) await copyRing(folder, Date.now() - age)
  /** What the commands have said on standard error so far. */
  const heard: string[] = []
  const run = async (command: string, ...args: string[]): Promise<Ending> => {
    const { child, ended } = startProgram([...plainNode(`scripts/keys-${command}.ts`), ...args], { cwd: t.testdirName, env: { KEYS_DIR: folder, ...env } })
    child.stderr.on('data', chunk => { heard.push(String(chunk)) })
    return await ended
  }
  const ids = async (kind: KeyKind = 'signing') => {
    const keys = keysOf(await readManifest(folder), kind)
    return (state: string) => keys.find(key => key.state === state)!.id
  }
  const states = async (kind: KeyKind = 'signing') => keysOf(await readManifest(folder), kind).map(({ state }) => state)
  return { folder, run, ids, states, heard }
}

/** As the commands tell an instant, of milliseconds since the epoch. */
export const instant = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`
