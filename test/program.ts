// A program as a process of its own, for tests and proofs: started, watched and ended, the one way; holds no assertion.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'

export type Command = [program: string, ...args: string[]]
export interface Ending { code: number | null, out: string, err: string }

export interface Program {
  child: ChildProcessWithoutNullStreams
  /** What it has said so far. */
  output: { out: string, err: string }
  ended: Promise<Ending>
  hasEnded: () => boolean
  /** Where a Signet listens, once it says so. Throws what it says instead when it ends. */
  ready: () => Promise<string>
  /** Sends a signal, unless it has ended, and waits for its end. */
  end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<Ending>
}

/** Starts a program in a folder, with these variables and the PATH. */
export function startProgram ([program, ...args]: Command, { cwd, env }: { cwd: string, env: Record<string, string> }): Program {
  const { PATH = '' } = process.env
  const child = spawn(program, args, { cwd, env: { PATH, ...env } })
  const output = { out: '', err: '' }
  child.stdout.on('data', chunk => { output.out += String(chunk) })
  child.stderr.on('data', chunk => { output.err += String(chunk) })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }))
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const end = async (signal: NodeJS.Signals) => {
    if (!hasEnded()) child.kill(signal)
    return await ended
  }
  const ready = async () => {
    const isOver = ended.then(({ err }) => { throw new Error(err) })
    isOver.catch(() => {})
    while (!/ready: https?:/.test(output.out)) await Promise.race([once(child.stdout, 'data'), isOver])
    return /ready: (https?:\/\/[^\s"/,]+)/.exec(output.out)![1]!
  }
  return { child, output, ended, hasEnded, ready, end }
}
