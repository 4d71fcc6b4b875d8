// An operator with a store and the commands on its clients, each a process of its own; holds no test.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Client } from '../../src/core/client.js'
import { openStore } from '../../src/store/open-store.js'
import { plainNode } from '../compiled.js'
import { startProgram, type Ending } from '../program.js'
import { workingFolder } from '../working-folder.js'

export const COMMANDS = ['add', 'list', 'show', 'update', 'remove', 'rotate-secret']

/** An operator in an empty folder, whose store is a file there, or this one. */
export function clientOperator (t: Test, url?: string) {
  const folder = workingFolder(t)
  const databaseUrl = url ?? `file:${join(folder, 'signet.db')}`
  mkdirSync(folder, { recursive: true })
  const start = (command: string, ...args: string[]) => startProgram([...plainNode(`scripts/clients-${command}.ts`), ...args], { cwd: folder, env: { DATABASE_URL: databaseUrl } })
  const run = async (command: string, ...args: string[]): Promise<Ending> => {
    const { child, ended } = start(command, ...args)
    child.stdin.end()
    return await ended
  }
  /** What a command answers a machine, with its exit code. */
  const json = async (command: string, ...args: string[]): Promise<Record<string, unknown>> => {
    const { code, out } = await run(command, ...args, '--json')
    return { code, ...JSON.parse(out) as Record<string, unknown> }
  }
  /** A client as the store has it. */
  const kept = async (id: unknown): Promise<Client | undefined> => {
    const store = await openStore(databaseUrl)
    try {
      return await store.findClient(String(id))
    } finally {
      await store.close()
    }
  }
  return { folder, databaseUrl, start, run, json, kept }
}
