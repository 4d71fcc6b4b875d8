// Who may change a ring: one at a time, on all processes that share its folder; holds no change.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'libsql'
import { inWords } from '../faults.js'
import { protect } from './ring-files.js'

/** How long to wait for whoever changes the ring now, in milliseconds, and what to do when that begins. */
export interface Patience { milliseconds: number, onWait?: () => void }

/** Somebody else is changing the ring. */
export class RingBusyError extends Error {}

const RETRY_MS = 50
const LOCK = 'lock'

/**
 * Does `work` while no other process does any on the folder. Throws RingBusyError when patience ends, and a sentence if the folder cannot be written to.
 * Node.js offers no lock of a file, but SQLite takes one: it is the kernel's, so it ends with the process, however that ends,
 * and holds between the containers of a machine. Nothing is ever written to this database.
 */
export async function withLock<Result> (folder: string, patience: Patience, work: () => Promise<Result>): Promise<Result> {
  const database = openLock(folder)
  try {
    await acquire(database, folder, patience)
    try {
      return await work().catch((cause: NodeJS.ErrnoException) => { throw cause.errno === undefined ? cause : cannotChange(folder, cause) })
    } finally {
      // Closing alone lets go of the lock only when the garbage collector comes by.
      database.exec('ROLLBACK')
    }
  } finally {
    database.close()
  }
}

function openLock (folder: string): Database.Database {
  try {
    const path = join(folder, LOCK)
    // SQLite says no more than that it could not.
    accessSync(existsSync(path) ? path : folder, constants.R_OK | constants.W_OK)
    const database = new Database(path, { timeout: 0 })
    if (statSync(path).uid === process.geteuid!()) protect(folder, LOCK)
    return database
  } catch (cause) {
    throw cannotChange(folder, cause)
  }
}

async function acquire (database: Database.Database, folder: string, { milliseconds, onWait }: Patience): Promise<void> {
  if (isAcquired(database, folder)) return
  onWait?.()
  const tries = Math.ceil(milliseconds / RETRY_MS)
  for (let made = 0; made < tries; made++) {
    await pause(RETRY_MS)
    if (isAcquired(database, folder)) return
  }
  throw new RingBusyError('Another command or server is changing the key ring; try again in a moment.')
}

function isAcquired (database: Database.Database, folder: string): boolean {
  try {
    // The journal in memory, so that not even that becomes a file.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE')
    return true
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'SQLITE_BUSY') return false
    throw cannotChange(folder, cause)
  }
}

function cannotChange (folder: string, cause: unknown): Error {
  return new Error(`The key ring in ${folder} cannot be changed: ${inWords(cause)}.`, { cause })
}
