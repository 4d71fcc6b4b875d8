// The certificate and its key, read and tried before a server stands on them; holds no server.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Config } from './config.js'
import { inWords } from './faults.js'

/** Certificate chain and private key, PEM. */
export interface TlsPair { cert: Buffer, key: Buffer }

/** The pair that the settings name, where they name one. Throws one sentence that names the setting if a server could not use it. */
export async function readTls ({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }: Pick<Config, 'TLS_CERT_FILE' | 'TLS_KEY_FILE'>): Promise<TlsPair | undefined> {
  if (!certFile) return undefined
  const pair = { cert: await read('TLS_CERT_FILE', certFile), key: await read('TLS_KEY_FILE', keyFile) }
  const [certificate, key] = [toCertificate(pair.cert), toKey(pair.key)]
  if (!certificate.checkPrivateKey(key)) throw new Error('The settings TLS_CERT_FILE and TLS_KEY_FILE do not belong together: the key is not that of the first certificate.')
  try {
    createSecureContext(pair)
  } catch (cause) {
    throw new Error('The setting TLS_CERT_FILE names a certificate that OpenSSL does not take: its key is too short, its digest too weak, or its chain is damaged.', { cause })
  }
  return pair
}

async function read (name: string, path: string): Promise<Buffer> {
  return await readFile(path).catch((cause: Error) => { throw new Error(`The setting ${name} names a file that cannot be read: ${inWords(cause)}.`, { cause }) })
}

function toCertificate (pem: Buffer): X509Certificate {
  try {
    if (!pem.includes('-----BEGIN ')) throw new Error('it may be DER')
    return new X509Certificate(pem)
  } catch (cause) {
    throw new Error('The setting TLS_CERT_FILE names a file that does not hold a certificate in PEM.', { cause })
  }
}

function toKey (pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new Error(`The setting TLS_KEY_FILE names a file ${pem.includes('ENCRYPTED') ? 'whose key is under a passphrase: write it in clear, for this user alone.' : 'that does not hold a private key in PEM.'}`, { cause })
  }
}
