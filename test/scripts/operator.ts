// An operator with a key ring and its commands, each a process of its own; holds no test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Test } from 'tap'
import { readManifest } from '../../src/keyring/ring-files.js'
import { plainNode } from '../compiled.js'
import { copyRing } from '../keyring/rings.js'

export const MINUTE = 60_000
export const COMMANDS = ['generate', 'rotate', 'list', 'prune', 'revoke']

export interface Outcome { code: number | null, out: string, err: string }

/** An operator with a folder of keys, in which a ring was made `age` milliseconds ago. */
export async function operator (t: Test, age?: number, env: Record<string, string> = {}) {
  const folder = join(t.testdir(), 'keys')
  if (age !== undefined) await copyRing(folder, Date.now() - age)
  /** What the commands have said on standard error so far. */
  const heard: string[] = []
  const run = async (command: string, ...args: string[]): Promise<Outcome> => {
    const { PATH = '' } = process.env
    const [program, ...own] = plainNode(`scripts/keys-${command}.ts`)
    const child = spawn(program, [...own, ...args], { cwd: t.testdirName, env: { PATH, KEYS_DIR: folder, ...env } })
    const outcome: Outcome = { code: null, out: '', err: '' }
    child.stdout.on('data', chunk => { outcome.out += String(chunk) })
    child.stderr.on('data', chunk => {
      outcome.err += String(chunk)
      heard.push(String(chunk))
    })
    const [code] = await once(child, 'close') as [number | null]
    return { ...outcome, code }
  }
  const ids = async (kind: 'signing' | 'refresh' = 'signing') => {
    const keys = (await readManifest(folder))[kind]
    return (state: string) => keys.find(key => key.state === state)!.id
  }
  const states = async (kind: 'signing' | 'refresh' = 'signing') => (await readManifest(folder))[kind].map(({ state }) => state)
  return { folder, run, ids, states, heard }
}

/** As the commands tell an instant, of milliseconds since the epoch. */
export const instant = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`
