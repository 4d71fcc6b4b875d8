// The mails of a development, as files that any mail program opens; sends nothing.
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sender, SendLetter } from '../core/letters.js'
import { makeFolder } from '../folders.js'
import { writeMessage } from './smtp.js'

/** Who writes each mail into a file of this folder, which nobody else may read; `told` gets its path. `clock` in milliseconds. */
export function outboxSender (folder: string, from: Sender, { clock, told }: { clock: () => number, told: (path: string) => void }): SendLetter {
  return async (to, letter) => {
    makeFolder(folder)
    const path = join(folder, `${new Date(clock()).toISOString().replaceAll(':', '-')}-${randomUUID().slice(0, 8)}.eml`)
    writeFileSync(path, await writeMessage(from, to, letter), { mode: 0o600, flag: 'wx' })
    told(path)
  }
}
