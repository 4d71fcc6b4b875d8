// How many files the process may have open, and the share of them that connections may take; holds no connection.
import { readFileSync } from 'node:fs'

/** The rest is for the store, the key ring, the hashing threads and the log. */
const SHARE = 3 / 4

/** How many connections there may be: `wanted`, or as many as the process's limit of open files, which Linux tells in `limits`, allows. */
export function connectionsAllowed (wanted: number, limits = '/proc/self/limits'): number {
  return Math.min(wanted, Math.floor(openFilesLimit(limits) * SHARE))
}

function openFilesLimit (limits: string): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(limits, 'utf8'))
    return soft ? Number(soft[1]) : Infinity
  } catch {
    return Infinity
  }
}
