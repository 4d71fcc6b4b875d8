// Many processes on one port: starts the workers, replaces those that die, and ends with them all; holds no server, no setting and no rule.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'

/** A worker that ended, as the one that takes its place tells it to the log. */
export interface Ended { pid: number, code: number | null, signal: string | null }

/** From the start of a worker to that of the one that replaces it, at least, for what ended the one may end the other. Milliseconds. */
const PAUSE_MS = 2_000
/** What a worker said before it ended has come by then. */
const HEARD_OUT_MS = 1_000
/** Until a turn of the event loop comes in which no client connects. */
const QUIET_WITHIN_MS = 2_000

/** A connection that is on its way to a worker. */
interface Handed { close: () => void }

export class Workers {
  readonly #count: number
  readonly #environment: Record<string, string>
  readonly #running = new Map<Worker, { begun: Promise<unknown>, ended: Promise<unknown> }>()
  /** Those that listen, each with the connections that are on their way to it. */
  readonly #listening = new Map<Worker, Map<number, Handed>>()
  readonly #ending = new AbortController()
  #handed = 0
  /** What is to be said when the socket is closed, for who is told something may have the processor next. */
  #untold: (() => void)[] | undefined
  #onFork = (_worker: Worker): void => {}

  /** `count` processes that run the program of this one, with these variables beside its own. */
  constructor (count: number, environment: Record<string, string>) {
    this.#count = count
    this.#environment = environment
  }

  /**
   * Starts one, and the others when it listens: what keeps one from its start keeps all from it, and is said once. From then on each that dies is replaced.
   * The exit code of the first, where it ended instead.
   */
  async start (): Promise<number | undefined> {
    const first = this.#fork()
    const code = await Promise.race([once(first, 'listening').then(() => undefined), once(first, 'exit').then(([code]) => Number(code ?? 1))])
    if (code !== undefined) return code
    while (this.#running.size < this.#count && !this.#ending.signal.aborted) this.#keep(this.#fork())
    this.#keep(first)
    return undefined
  }

  /** Tells of each that is started from now on what it says, and when it can say no more, which may be twice. */
  hear (heard: (worker: number, message: unknown) => void, lost: (worker: number) => void): void {
    this.#onFork = worker => {
      worker.on('message', message => { heard(worker.id, message) })
      // Not its exit, which what it said before may still be on its way at.
      worker.once('disconnect', () => { lost(worker.id) })
      // Of one that was killed while it was handed a connection, Node never tells that it is disconnected.
      worker.once('exit', () => { setTimeout(lost, HEARD_OUT_MS, worker.id).unref() })
    }
  }

  /** Asks each to look at once at the files that it follows. */
  look (): void {
    for (const worker of this.#running.keys()) worker.process.kill('SIGHUP')
  }

  /** Ends each in its own way, all at once. They listen for `linger` milliseconds more, and are then told to stop. */
  async stop (linger: number): Promise<void> {
    this.#ending.abort()
    for (const worker of this.#running.keys()) worker.process.kill('SIGTERM')
    const workers = [...this.#running.values()]
    const ended = Promise.all(workers.map(({ ended }) => ended))
    // One that began to listen when the others have stopped would take up what nobody hands on.
    await Promise.all(workers.map(({ begun }) => begun))
    await Promise.race([ended, pause(linger)])
    await this.#quiet()
    // With the last of them Node closes the socket that all listen on, at once: were each to say when it has stopped, that would be later than anybody saw that nobody connects.
    this.#untold = []
    for (const worker of this.#listening.keys()) worker.disconnect()
    const untold = this.#untold
    this.#untold = undefined
    for (const tell of untold) tell()
    await ended
  }

  // What the kernel or Node holds for a worker is reset when nobody listens. In a turn in which nothing came the kernel holds nothing, nor does Node while a worker is free; what is on its way to one comes there before the word to stop.
  async #quiet (): Promise<void> {
    const latest = performance.now() + QUIET_WITHIN_MS
    let before = -1
    while ((before !== this.#handed || !this.#isOneFree()) && performance.now() < latest) {
      before = this.#handed
      await turn()
    }
  }

  #isOneFree (): boolean {
    return this.#listening.size === 0 || [...this.#listening.values()].some(({ size }) => size === 0)
  }

  #fork (replaces?: Ended): Worker {
    const worker = cluster.fork(this.#environment)
    const handed = new Map<number, Handed>()
    this.#follow(worker, handed)
    worker.on('error', leaveIt)
    worker.once('listening', () => { this.#listening.set(worker, handed) })
    this.#onFork(worker)
    // Before it listens, Node would take this for heard.
    if (replaces) worker.once('listening', () => { worker.send(replaces, leaveIt) })
    const ended = new Promise(resolve => worker.once('exit', resolve)).then(() => this.#running.delete(worker))
    this.#running.set(worker, { begun: Promise.race([ended, new Promise(resolve => worker.once('listening', resolve))]), ended })
    return worker
  }

  // Node hands connections to a worker one by one, and forgets the one that it handed to a worker that was dead: its client would wait for ever. Node documents neither the handle nor the answers.
  #follow (worker: Worker, handed: Map<number, Handed>): void {
    const { process: child } = worker
    const send = child.send.bind(child) as (...args: unknown[]) => boolean
    child.send = (...args: unknown[]) => {
      const [{ seq }, handle] = args as [{ seq: number }, Partial<Handed> | null | undefined]
      if (handle?.close) {
        this.#handed++
        handed.set(seq, handle as Handed)
      }
      return this.#untold ? this.#untold.push(() => { send(...args) }) > 0 : send(...args)
    }
    child.on('internalMessage', ({ ack }: { ack?: number }) => { handed.delete(ack!) })
    child.once('exit', () => {
      this.#listening.delete(worker)
      for (const handle of handed.values()) handle.close()
    })
  }

  #keep (worker: Worker): void {
    const began = performance.now()
    worker.once('exit', (code, signal) => {
      const ended = { pid: worker.process.pid!, code, signal }
      pause(Math.max(0, began + PAUSE_MS - performance.now()), undefined, { signal: this.#ending.signal }).then(() => { this.#keep(this.#fork(ended)) }, leaveIt)
    })
  }
}

/** There is nothing to do: all end, or a worker cannot be told what its end will tell. */
function leaveIt (): void {}

/** In a worker that has the place of one that ended: which one that was. */
export async function whoWasReplaced (): Promise<Ended> {
  const [ended] = await once(process, 'message') as [Ended]
  return ended
}

/** Tells the process that leads the workers; one that has ended hears nothing. */
export function tellLeader (message: object): void {
  cluster.worker!.send(message, leaveIt)
}

/** Whether this process is one of those that another one started. */
export function isWorker (): boolean {
  return cluster.isWorker
}
