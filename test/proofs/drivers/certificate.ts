// A certificate for 127.0.0.1 that nobody has signed, for browsers that are told to take it; holds no test.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Makes a certificate of a day, and its key, in `folder`, and returns where they are. */
export function makeCertificate (folder: string): { cert: string, key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert, '-days', '1'], { stdio: 'ignore' })
  return { cert, key }
}
