// Makes folders of one's own; holds nothing of what lies in them.
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes a folder that nobody else may read, and those above it, where they are missing. Throws the system's error where it cannot. */
export function makeFolder (path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    // One after the other: Node's own way to make all never ends where the system makes none, as below /proc.
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makeFolder(dirname(path))
    makeFolder(path)
  }
}
