// A MongoDB on a port of its own, which a proof may stop and crash; holds no proof.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * A server that the programs `start PORT` and `stop PORT [--crash]` in a folder control; both return when it is done.
 * The port, and what the programs derive from it, should lie below the range of outgoing connections (32768 on Linux), whose
 * own ends may otherwise take it while the server is down.
 */
export class PrivateMongoDb {
  readonly #control: string
  readonly #port: string
  /** Names a database that nobody has used before. */
  readonly url: string

  constructor (control: string, port: number) {
    this.#control = control
    this.#port = String(port)
    this.url = `mongodb://127.0.0.1:${port}/signet_${randomUUID().replaceAll('-', '')}`
  }

  async start (): Promise<void> {
    await this.#run('start')
  }

  async stop (): Promise<void> {
    await this.#run('stop')
  }

  /** As a power cut would. */
  async crash (): Promise<void> {
    await this.#run('stop', '--crash')
  }

  async #run (program: string, ...options: string[]): Promise<void> {
    await promisify(execFile)(join(this.#control, program), [this.#port, ...options])
  }
}
