// Certificates for tests and proofs, made by openssl; holds no assertion.
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

export interface Certificate { paths: { cert: string, key: string }, pair: { cert: Buffer, key: Buffer } }

/** Makes a certificate of a day for this machine, and its key, in `folder`, and returns where they are. */
export function makeCertificate (folder: string): Certificate['paths'] {
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', paths.key, '-out', paths.cert, '-days', '1'], { stdio: 'ignore' })
  return paths
}

/** A new key, and a certificate of its own signing, in a folder of the test's. */
export function certificateFor (t: Test): Certificate {
  const folder = join(t.testdirName, randomUUID())
  mkdirSync(folder, { recursive: true })
  const paths = makeCertificate(folder)
  return { paths, pair: { cert: readFileSync(paths.cert), key: readFileSync(paths.key) } }
}
