// The certificate and the key of HTTPS as files: read, looked at, and followed while Signet runs; holds no server.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { access, constants, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createSecureContext } from 'node:tls'
import { inWords } from '../../faults.js'

/** A certificate chain and its private key, PEM. */
export interface TlsPair { cert: Buffer, key: Buffer }

export interface TlsPaths { cert: string, key: string }

/** What an operator should see, and what serves the pair. */
export interface TlsUse {
  use: (pair: TlsPair) => void
  /** Milliseconds since the epoch. */
  clock: () => number
  adopted: (validTo: string) => void
  refused: (fault: Error) => void
}

/** As the key ring is followed: what is read is small, and an event of the file system may fail to come. */
const LOOK_EVERY_MS = 1_000
const REPEAT_MS = 60_000

export class TlsFiles {
  /** Why the files are not what is in use, where they cannot be; a sentence for operators. */
  fault: Error | undefined
  readonly #paths: TlsPaths
  #pair: TlsPair
  #saidAt = -Infinity

  private constructor (paths: TlsPaths, pair: TlsPair) {
    this.#paths = paths
    this.#pair = pair
  }

  /** The pair of two files. Throws a sentence that names the setting if it cannot be used, or others may read the key. */
  static async open (paths: TlsPaths): Promise<TlsFiles> {
    return new TlsFiles(paths, await readPair(paths))
  }

  /** The pair in use. */
  get pair (): TlsPair {
    return this.#pair
  }

  /** Looks every second from now on, until it is told to stop. */
  follow (use: TlsUse): () => void {
    const timer = setInterval(() => { void this.look(use) }, LOOK_EVERY_MS).unref()
    return () => { clearInterval(timer) }
  }

  /** Looks once: uses a pair that has changed, and keeps the one in use where the new cannot be. Never rejects. */
  async look (use: TlsUse): Promise<void> {
    try {
      const pair = await readPair(this.#paths)
      this.fault = undefined
      if (pair.cert.equals(this.#pair.cert) && pair.key.equals(this.#pair.key)) return
      use.use(pair)
      this.#pair = pair
      use.adopted(new X509Certificate(pair.cert).validTo)
    } catch (fault) {
      this.#refuse(fault as Error, use)
    }
  }

  // Said again and again, for a certificate that was not taken is found when the old one has expired.
  #refuse (fault: Error, { clock, refused }: TlsUse): void {
    const isKnown = this.fault?.message === fault.message && clock() - this.#saidAt < REPEAT_MS
    this.fault = fault
    if (isKnown) return
    this.#saidAt = clock()
    refused(fault)
  }
}

async function readPair (paths: TlsPaths): Promise<TlsPair> {
  const pair = { cert: await read('TLS_CERT_FILE', paths.cert), key: await read('TLS_KEY_FILE', paths.key) }
  await assertPrivate(paths.key)
  assertUsable(pair)
  return pair
}

async function read (setting: string, path: string): Promise<Buffer> {
  return await readFile(path).catch((cause: Error) => { throw new Error(`The setting ${setting} names a file that cannot be read: ${inWords(cause)}.`, { cause }) })
}

// A key that belongs to somebody else is ours to read by its group, and so may be one on a read-only mount, as Kubernetes makes it.
async function assertPrivate (path: string): Promise<void> {
  const { mode, uid } = await stat(path)
  const isByGroup = uid !== process.getuid?.() || await isReadOnly(dirname(path))
  const allowed = isByGroup ? 0o640 : 0o600
  if ((mode & 0o777 & ~allowed) !== 0) throw new Error(`${path} is open to others: chmod ${allowed.toString(8)} ${path}`)
}

async function isReadOnly (folder: string): Promise<boolean> {
  return await access(folder, constants.W_OK).then(() => false, (error: NodeJS.ErrnoException) => error.code === 'EROFS')
}

function assertUsable (pair: TlsPair): void {
  if (!toCertificate(pair.cert).checkPrivateKey(toKey(pair.key))) throw new Error('The settings TLS_CERT_FILE and TLS_KEY_FILE do not belong together: the key is not that of the first certificate.')
  try {
    createSecureContext(pair)
  } catch (cause) {
    throw new Error('The setting TLS_CERT_FILE names a certificate that OpenSSL does not take: its key is too short, its digest too weak, or its chain is damaged.', { cause })
  }
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
