// Runs many files of the suite in one process, for most of what a small file took was a process of its own; holds no test.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

/** For one test, in milliseconds: one that waits in vain is told by its name, and those after it run. */
const PATIENCE_MS = 240_000
/** For what the last of them left open, in milliseconds. */
const PARTING_MS = 30_000

/** The test files of a folder of test/ and of those below it, or the file itself. */
function filesOf (place: string): string[] {
  if (place.endsWith('.test.ts')) return [place]
  return readdirSync(join('test', place), { recursive: true }).map(String).filter(name => name.endsWith('.test.ts')).sort().map(name => join(place, name))
}

/** Runs the files at these places, in this order, one after the other, but for those of a place that begins with `!`, which another process has; each can be run by itself as well. */
export function runTogether (...places: string[]): void {
  t.beforeEach(test => { test.setTimeout(PATIENCE_MS) })
  t.teardown(() => { setTimeout(endWhatIsLeftOpen, PARTING_MS).unref() })
  t.test(`loading ${places.join(', ')}`, async t => {
    const others = places.flatMap(place => place.startsWith('!') ? filesOf(place.slice(1)) : [])
    const files = places.filter(place => !place.startsWith('!')).flatMap(filesOf)
    for (const file of new Set(files.filter(file => !others.includes(file)))) {
      await import(new URL(`../${file}`, import.meta.url).href)
      t.pass(file)
    }
  })
}

// With the exit code of the tests, for a timer that would run out by itself is no fault of what they test.
function endWhatIsLeftOpen (): void {
  process.stderr.write(`Its tests have ended, and this would keep the process: ${process.getActiveResourcesInfo().join(', ')}.\n`)
  process.exit()
}
