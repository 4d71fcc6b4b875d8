// Reads a file also where the process may open no more: a descriptor is kept aside for it; holds no file's meaning.
import { closeSync, openSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { devNull } from 'node:os'

/** Of the process (EMFILE) or of the machine (ENFILE). */
const EXHAUSTED = new Set<string | undefined>(['EMFILE', 'ENFILE'])

let spare: number | undefined

/** The text of a file. A server that can open nothing must still follow a revocation. Rejects as `readFile` does. */
export async function readTextSparing (path: string): Promise<string> {
  spare ??= keepAside()
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (!EXHAUSTED.has((error as NodeJS.ErrnoException).code) || spare === undefined) throw error
    return readInPlaceOf(spare, path)
  }
}

// At one go, so that no connection takes the place between.
function readInPlaceOf (descriptor: number, path: string): string {
  closeSync(descriptor)
  try {
    return readFileSync(path, 'utf8')
  } finally {
    spare = keepAside()
  }
}

function keepAside (): number | undefined {
  try {
    return openSync(devNull, 'r')
  } catch {
    return undefined
  }
}
