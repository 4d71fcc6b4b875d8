// A folder for what runs in it until a test ends; holds nothing.
import type { Test } from 'tap'

/** The folder of the test, which goes after its teardowns: tap takes it away before them where it was there before the first of them, and what still runs would write into it meanwhile. */
export function workingFolder (test: Test): string {
  test.teardown(() => {})
  return test.testdir()
}
