// The code as plain JavaScript, for tests that start it many times and cannot wait for a loader each; holds no test.
import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Test } from 'tap'
import { compile } from './typescript-hooks.js'

/** Compiles src/ and scripts/ into a folder of the test's and returns it. */
export function compileFor (test: Test): string {
  const folder = join(test.testdir(), 'compiled')
  for (const place of ['src', 'scripts']) {
    cpSync(place, join(folder, place), { recursive: true, filter: path => !path.endsWith('.ts') })
    for (const name of readdirSync(place, { recursive: true }).map(String).filter(name => name.endsWith('.ts'))) {
      writeFileSync(join(folder, place, name.replace(/ts$/, 'js')), compile(resolve(place, name)))
    }
  }
  return folder
}
