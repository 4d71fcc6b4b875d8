// Which files below a folder are sources: all but what was built of a package, beside its own. Holds nothing of what becomes of them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const BUILT = /^src\/\w+\/dist\//

/** The paths of all sources below a folder of the project, as in `src/core/clock.ts`, in order. @param {string} folder @returns {string[]} */
export function sourceFiles (folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name)).filter(path => !BUILT.test(path)).sort()
}
