// How a command records what an operator did with it; holds no command, and fails none.
import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import { basename } from 'node:path'
import { readConfig, readEnvironment } from '../src/config.js'
import { eventId, toKept, type SecurityEvent } from '../src/core/events.js'
import type { Store } from '../src/store/store.js'

/** Before a command goes on as the owner of a file, who may not read the settings. */
export const OPERATOR = operatorName()
const DAYS = daysKept()
let recorded = 0

/** Keeps what was done, by whom and by which command, where events are kept at all. Never rejects: what cannot be recorded is said, and done all the same. */
export async function recordAsOperator (store: Pick<Store, 'insertEvents'>, event: Omit<SecurityEvent, 'at' | 'by'>): Promise<void> {
  try {
    if (DAYS instanceof Error) throw DAYS
    const at = Date.now()
    if (DAYS > 0) await store.insertEvents([toKept({ ...event, at, by: `${OPERATOR}, ${commandName()}` }, eventId(at, recorded++, randomBytes(8)))])
  } catch (error) {
    process.stderr.write(`It was done, but not recorded among the events: ${(error as Error).message}\n`)
  }
}

/** For how long events are kept, or why that cannot be read. */
function daysKept (): number | Error {
  try {
    return readConfig({ EVENTS_RETENTION_DAYS: readEnvironment(() => {})['EVENTS_RETENTION_DAYS'] }).EVENTS_RETENTION_DAYS
  } catch (error) {
    return error as Error
  }
}

/** The name of whoever runs this, or of the user that root is for by sudo. */
export function operatorName (): string {
  const { SUDO_USER: sudoer } = process.env
  if (process.geteuid!() === 0 && sudoer) return sudoer
  try {
    return userInfo().username
  } catch {
    // Of a user whom no file of the system names, as in many containers.
    return `uid ${process.getuid!()}`
  }
}

/** `clients:add`, of the file that was started. */
function commandName (): string {
  return basename(String(process.argv[1])).replace(/\.[jt]s$/, '').replace('-', ':')
}
