// Asks the Signet of these settings whether it is ready, for whatever looks after its process; holds no rule of readiness.
import http from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import { readConfig, readEnvironment, type Config } from '../src/config.js'

const PATIENCE_MS = 4_000

/** Where a server that listens on `host` is found from the machine that it runs on. */
function reachable (host: string): string {
  return { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
}

/** The whole answer of a server that is ready. Throws what it says where it is not, or a sentence. */
function ask ({ HOST, PORT: port, TLS_CERT_FILE: cert }: Config): Promise<string> {
  // The certificate is of the name that clients know, and this goes to an address of our own.
  const asked = { host: reachable(HOST), port, path: '/health/ready', rejectUnauthorized: false }
  const request = (cert ? https : http).get(asked)
  return new Promise((resolve, reject) => {
    setTimeout(() => {
      reject(new Error(`It did not answer within ${PATIENCE_MS / 1000} seconds.`))
      request.destroy()
    }, PATIENCE_MS).unref()
    request.on('error', reject)
    request.on('response', response => {
      text(response).then(body => { response.statusCode === 200 ? resolve(body) : reject(new Error(body)) }, () => { reject(new Error('Its answer was cut off.')) })
    })
  })
}

try {
  process.stdout.write(`${await ask(readConfig(readEnvironment(() => {})))}\n`)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
