// Where the tests find a real nginx, and how they start it with the configuration of docs/proxies.md; holds no assertion.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { certificateFor } from './certificates.js'
import { dial } from './http/raw-client.js'

const PATH = process.env['TEST_NGINX'] ?? '/usr/sbin/nginx'

/** Declares tests that need nginx, which TEST_NGINX names, or which Debian's package has put where it is; elsewhere the file says that it was skipped. */
export function withNginx (declare: () => void): void {
  if (existsSync(PATH)) declare()
  else t.pass('tests behind nginx', { skip: `there is no nginx at ${PATH}` })
}

/** nginx as docs/proxies.md shows it, but for its ports and its certificate; listens on `port` before Signets on `upstreams`. */
export async function startNginx (test: Test, port: number, upstreams: [number, number]): Promise<void> {
  const folder = join(test.testdirName, 'nginx')
  mkdirSync(folder, { recursive: true })
  const { paths } = certificateFor(test)
  const changes = { '127.0.0.1:3001': `127.0.0.1:${upstreams[0]}`, '127.0.0.1:3002': `127.0.0.1:${upstreams[1]}`, 'listen 443': `listen 127.0.0.1:${port}`, '/etc/ssl/id.example.pem': paths.cert, '/etc/ssl/private/id.example.key': paths.key }
  const documented = /```nginx\n([^]*?)```/.exec(readFileSync('docs/proxies.md', 'utf8'))![1]!
  const configured = Object.entries(changes).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`docs/proxies.md has no ${from} any more`)
    return text.replace(from, to)
  }, documented)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder};`).join(' ')
  writeFileSync(join(folder, 'nginx.conf'), `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events { worker_connections 512; }\nhttp { access_log off; ${temporary}\n${configured} }\n`)
  const child = spawn(PATH, ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
  test.teardown(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  })
  while (!await dial(test, port).then(socket => { socket.destroy(); return true }, () => false)) {
    if (child.exitCode !== null) throw new Error(readFileSync(join(folder, 'error.log'), 'utf8'))
    await pause(50)
  }
}
