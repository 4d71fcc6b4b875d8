// Processes of other users, for tests of whom a ring belongs to; only root can start them. Holds no test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { compiled } from '../compiled.js'

/** Declares tests that only root can run; a run by somebody else says so in the suite's last lines. */
export function asRoot (declare: () => void): void {
  if (process.geteuid!() === 0) declare()
  else t.pass('not root')
}

export interface User { uid: number, gid: number }

const ROOT: User = { uid: 0, gid: 0 }

/** The commands and the server, compiled, for users of any id. */
export function programs () {
  const run = async (user: User, path: string, env: Record<string, string>, args: string[] = [], cwd = '/') => {
    const { PATH = '' } = process.env
    // In an environment of its own, for the suite's would have it write where it may not.
    const pairs = Object.entries({ PATH, ...env }).map(([name, value]) => `${name}=${value}`)
    const child = spawn('env', ['-i', ...pairs, 'setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', process.execPath, compiled(path), ...args], { cwd })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { said += String(chunk) })
    const [code] = await once(child, 'close') as [number | null]
    return { code, said }
  }
  const keys = async (user: User, command: string, folder: string, ...args: string[]) => await run(user, `scripts/keys-${command}.ts`, { KEYS_DIR: folder }, args)
  const serve = async (user: User, folder: string, env: Record<string, string> = {}) => await run(user, 'src/server.ts', { KEYS_DIR: folder, PORT: '0', DATABASE_URL: 'file:/nowhere/else/signet.db', LOG_LEVEL: 'fatal', ...env })
  return { run, keys, serve, ROOT }
}
