// Where a proof finds what it proves, as operators run it; builds nothing, which `npm run prove:*` does before.
import { fileURLToPath } from 'node:url'
import type { Command } from '../program.js'

/** The command of a program that `npm run build` has made, by its path in dist/ without an ending. */
export function built (path: string): Command {
  return [process.execPath, fileURLToPath(new URL(`../../dist/${path}.js`, import.meta.url))]
}
