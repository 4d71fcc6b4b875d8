// Where the tests find a real MongoDB: one to share, or one a test may stop and crash; holds no test.
import t, { type Test } from 'tap'
import { PrivateMongoDb } from '../proofs/private-mongodb.js'
import { throwawayDatabase } from '../throwaway-database.js'
import { openStore } from '../../src/store/open-store.js'
import type { Store } from '../../src/store/store.js'

/** Half of what MongoDB's driver waits for a server unless it is told otherwise: what is answered in time is answered long before, on the busiest machine. Milliseconds. */
export const LONG_MS = 15_000

const { TEST_MONGODB_URL, TEST_MONGODB_CONTROL } = process.env

/** Declares tests that need a server, which TEST_MONGODB_URL names; elsewhere the file says that it was skipped. */
export function withMongoDb (declare: (url: string) => void): void {
  if (TEST_MONGODB_URL) declare(TEST_MONGODB_URL)
  else t.pass('tests on MongoDB', { skip: 'TEST_MONGODB_URL is not set' })
}

/** Declares tests that stop and crash a server of their own on `port`, by the programs `start` and `stop` in the folder TEST_MONGODB_CONTROL. */
export function withPrivateMongoDb (port: number, declare: (server: PrivateMongoDb) => void): void {
  if (!TEST_MONGODB_CONTROL) {
    t.pass('tests on a MongoDB of their own', { skip: 'TEST_MONGODB_CONTROL is not set' })
    return
  }
  const server = new PrivateMongoDb(TEST_MONGODB_CONTROL, port)
  t.teardown(async () => { await server.stop() })
  declare(server)
}

/** The URL of a new database on the server of `url`, dropped after the test. */
export function freshDatabase (test: Test, url: string): string {
  const { url: fresh, drop } = throwawayDatabase(url)
  test.teardown(drop)
  return fresh
}

/** The store of `url`, closed after the test. */
export async function openFor (test: Test, url: string): Promise<Store> {
  const store = await openStore(url)
  test.teardown(async () => { await store.close() })
  return store
}
