// The ring on disk: a manifest and one file a secret; holds no key in use and no rule about when one is used.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { access, chmod, link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK } from 'jose'

/** Where a key stands in its life; see the README. */
export type KeyState = 'next' | 'active' | 'retired' | 'revoked'

/** One key of the manifest. Times are RFC 3339. `file` is its secret's, inside the folder. */
export interface KeyRecord { id: string, state: KeyState, file: string, created_at: string, published_at: string, activated_at: string | null, retired_at: string | null }

export interface Manifest { version: 1, signing: KeyRecord[], refresh: KeyRecord[] }

const MANIFEST = 'manifest.json'

/** The manifest, or undefined where the folder has none. Throws a sentence if it cannot be read. */
export async function readManifest (folder: string): Promise<Manifest | undefined> {
  try {
    return parseManifest(await readFile(join(folder, MANIFEST), 'utf8'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`The key ring in ${folder} cannot be read: ${(cause as Error).message}.`, { cause })
  }
}

function parseManifest (text: string): Manifest {
  const manifest = JSON.parse(text) as Manifest
  if (manifest.version !== 1) throw new Error('its manifest is of another version')
  const actives = [manifest.signing, manifest.refresh].map(keys => keys.filter(key => key.state === 'active').length)
  if (actives.some(count => count !== 1)) throw new Error('it must have exactly one active key of each kind')
  return manifest
}

/** The text of a key's file. */
export async function readKeyFile (folder: string, key: KeyRecord): Promise<string> {
  return await readFile(join(folder, key.file), 'utf8')
}

/**
 * Makes a ring of one signing key and one refresh secret in a folder that has none. Returns whether this call made it:
 * when several try at once, one ring stands and the others' files are removed. `now` in milliseconds.
 */
export async function createRing (folder: string, now: number): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const signing = await writeSigningKey(folder, now)
  const refresh = await writeRefreshSecret(folder, now)
  const draft = join(folder, `${MANIFEST}.${refresh.id}`)
  await writeDurably(draft, `${JSON.stringify({ version: 1, signing: [signing], refresh: [refresh] } satisfies Manifest, null, 2)}\n`)
  // A link, unlike a rename, fails where the name is taken: the first process wins, whoever else is at it.
  const isFirst = await link(draft, join(folder, MANIFEST)).then(() => true, () => false)
  await rm(draft)
  if (isFirst) {
    await syncFolder(folder)
    return true
  }
  await Promise.all([signing, refresh].map(async key => { await rm(join(folder, key.file)) }))
  // Whoever came first left a manifest; where there is none, the link failed for a reason of the file system's.
  await access(join(folder, MANIFEST))
  return false
}

async function writeSigningKey (folder: string, now: number): Promise<KeyRecord> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const id = await calculateJwkThumbprint(await exportJWK(publicKey))
  const record = activeRecord(id, `signing-${id}.pem`, now)
  await writeDurably(join(folder, record.file), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  return record
}

async function writeRefreshSecret (folder: string, now: number): Promise<KeyRecord> {
  const id = randomBytes(8).toString('hex')
  const record = activeRecord(id, `refresh-${id}.key`, now)
  await writeDurably(join(folder, record.file), `${randomBytes(32).toString('base64url')}\n`)
  return record
}

function activeRecord (id: string, file: string, now: number): KeyRecord {
  const at = new Date(now).toISOString()
  return { id, state: 'active', file, created_at: at, published_at: at, activated_at: at, retired_at: null }
}

async function writeDurably (path: string, text: string | Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder (folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
