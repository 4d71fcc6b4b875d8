// Certificates for tests, made by openssl in a folder of the test's; holds no assertion.
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

export interface Certificate { paths: { cert: string, key: string }, pair: { cert: Buffer, key: Buffer } }

/** A new key, and a certificate of its own signing. */
export function certificateFor (t: Test): Certificate {
  const folder = join(t.testdirName, randomUUID())
  mkdirSync(folder, { recursive: true })
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost', '-keyout', paths.key, '-out', paths.cert, '-days', '1'], { stdio: 'ignore' })
  return { paths, pair: { cert: readFileSync(paths.cert), key: readFileSync(paths.key) } }
}
