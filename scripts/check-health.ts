// Asks the Signet of these settings whether it is ready, for whatever looks after its process; holds no rule of readiness.
import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { readConfig, readEnvironment } from '../src/config.js'

const PATIENCE_MS = 4_000

/** Where a server that listens on `host` is found from the machine that it runs on. */
function reachable (host: string): string {
  const address = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return isIP(address) === 6 ? `[${address}]` : address
}

function ask (url: string): Promise<string> {
  // The certificate is of the name that clients know, and this goes to an address of our own.
  const request = url.startsWith('https:') ? https.get(url, { rejectUnauthorized: false, timeout: PATIENCE_MS }) : http.get(url, { timeout: PATIENCE_MS })
  return new Promise((resolve, reject) => {
    request.on('timeout', () => { request.destroy(new Error(`It did not answer within ${PATIENCE_MS / 1000} seconds.`)) })
    request.on('error', reject)
    request.on('response', response => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => { body += text }).on('end', () => { response.statusCode === 200 ? resolve(body) : reject(new Error(body)) })
    })
  })
}

try {
  const { HOST, PORT, TLS_CERT_FILE: cert } = readConfig(readEnvironment(() => {}))
  process.stdout.write(`${await ask(`${cert ? 'https' : 'http'}://${reachable(HOST)}:${PORT}/health/ready`)}\n`)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
