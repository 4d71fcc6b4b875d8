// Where the tests find a real MongoDB: one to share, or one a test may stop and crash; holds no test.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import mongoose from 'mongoose'
import t, { type Test } from 'tap'

const { TEST_MONGODB_URL, TEST_MONGODB_CONTROL } = process.env

/** Declares tests that need a server, which TEST_MONGODB_URL names; elsewhere the file says that it was skipped. */
export function withMongoDb (declare: (url: string) => void): void {
  if (TEST_MONGODB_URL) declare(TEST_MONGODB_URL)
  else t.plan(0, 'TEST_MONGODB_URL is not set')
}

/** Declares tests that stop and crash a server of their own, by the programs `start` and `stop` in the folder TEST_MONGODB_CONTROL. */
export function withPrivateMongoDb (declare: (control: string) => void): void {
  if (TEST_MONGODB_CONTROL) declare(TEST_MONGODB_CONTROL)
  else t.plan(0, 'TEST_MONGODB_CONTROL is not set')
}

/** The URL of a new database on the server of `url`, dropped after the test. */
export function freshDatabase (test: Test, url: string): string {
  const database = new URL(url)
  database.pathname = `/signet_${randomUUID().replaceAll('-', '')}`
  test.teardown(async () => {
    const client = await mongoose.mongo.MongoClient.connect(database.href)
    await client.db().dropDatabase()
    await client.close()
  })
  return database.href
}

/** A server on a port of its own. */
export class PrivateMongoDb {
  readonly #control: string
  readonly #port: string
  readonly url: string

  constructor (control: string, port: number) {
    this.#control = control
    this.#port = String(port)
    this.url = `mongodb://127.0.0.1:${port}/signet_${randomUUID().replaceAll('-', '')}`
  }

  async start (): Promise<void> {
    await this.#run('start', this.#port)
  }

  async stop (): Promise<void> {
    await this.#run('stop', this.#port)
  }

  /** As a power cut would. */
  async crash (): Promise<void> {
    await this.#run('stop', this.#port, '--crash')
  }

  async #run (program: string, ...args: string[]): Promise<void> {
    await promisify(execFile)(join(this.#control, program), args)
  }
}
