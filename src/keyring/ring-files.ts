// The ring on disk: a manifest, and files that only their owner reads, replaced so that a crash leaves the old or the new; holds no key in use and no rule of a key's life.
import { access, constants, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { KeyRecord } from '../core/key-life-cycle.js'
import { readTextSparing } from './spare-file.js'

/** Where a ring is, and the passphrase of its private keys where they have one. */
export interface RingPlace { folder: string, passphrase?: string | undefined }

/** The place of a ring in `folder` whose passphrase, if it has one, is in a file. Throws a sentence if that cannot be read. */
export async function ringPlace (folder: string, passphraseFile: string): Promise<RingPlace> {
  if (passphraseFile === '') return { folder }
  const text = await readFile(passphraseFile, 'utf8').catch((cause: Error) => { throw new Error(`The setting KEYS_PASSPHRASE_FILE names a file that cannot be read: ${cause.message}.`, { cause }) })
  // Editors end a file with a line break, which is nobody's passphrase.
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') throw new Error('The setting KEYS_PASSPHRASE_FILE names a file that is empty.')
  return { folder, passphrase }
}

const Instant = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' })
const InstantOrNull = Type.Union([Instant, Type.Null()])
const Id = Type.String({ pattern: '^[\\w-]+$' })
const State = Type.Union([Type.Literal('next'), Type.Literal('active'), Type.Literal('retired'), Type.Literal('revoked')])
const StateOrNull = Type.Union([State, Type.Null()])

const Key = Type.Object({
  id: Id,
  state: State,
  file: Type.String({ pattern: '^(signing-[\\w-]+\\.pem|refresh-[\\w-]+\\.key)$' }),
  bits: Type.Optional(Type.Integer()),
  created_at: Instant,
  published_at: Instant,
  activated_at: InstantOrNull,
  retired_at: InstantOrNull,
})

/** A step that was taken, for those who ask what signed when. */
const HistoryEntry = Type.Object({
  at: Instant,
  kind: Type.Union([Type.Literal('signing'), Type.Literal('refresh')]),
  id: Id,
  from: StateOrNull,
  to: StateOrNull,
  by: Type.Union([Type.Literal('command'), Type.Literal('server')]),
})
export type HistoryEntry = Static<typeof HistoryEntry>

const Manifest = Type.Object({ version: Type.Literal(1), signing: Type.Array(Key), refresh: Type.Array(Key), history: Type.Optional(Type.Array(HistoryEntry)) })
export type Manifest = Static<typeof Manifest>

const MANIFEST = 'manifest.json'
const DRAFT = `${MANIFEST}.draft`

/** The manifest's text, or undefined where the folder has none. Throws a sentence if it cannot be read. */
export async function readManifestText (folder: string): Promise<string | undefined> {
  try {
    return await readTextSparing(join(folder, MANIFEST))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unreadable(folder, cause)
  }
}

/** The manifest of a folder that has one. Throws a sentence otherwise. */
export async function readManifest (folder: string): Promise<Manifest> {
  const text = await readManifestText(folder)
  if (text === undefined) throw new Error(`There is no key ring in ${folder}: make one with \`npm run keys:generate\`.`)
  return parseManifest(folder, text)
}

/** Throws a sentence unless the text is a manifest of a ring that can serve. */
export function parseManifest (folder: string, text: string): Manifest {
  try {
    const manifest: unknown = JSON.parse(text)
    if ((manifest as Partial<Manifest> | null)?.version !== 1) throw new Error('its manifest is of another version')
    const fault = Value.Errors(Manifest, manifest).First()
    if (fault) throw new Error(`its manifest is damaged at ${fault.path}: ${fault.message}`)
    for (const keys of [(manifest as Manifest).signing, (manifest as Manifest).refresh]) assertServing(keys)
    return manifest as Manifest
  } catch (cause) {
    throw unreadable(folder, cause)
  }
}

function assertServing (keys: KeyRecord[]): void {
  const count = (state: string) => keys.filter(key => key.state === state).length
  if (count('active') !== 1) throw new Error('it must have exactly one active key of each kind')
  if (count('next') > 1) throw new Error('it must have at most one next key of each kind')
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw new Error('two of its keys have one id')
  if (keys.some(key => (key.state === 'active' && key.activated_at === null) || (key.state === 'retired' && key.retired_at === null))) throw new Error('a key lacks the time of its last step')
}

function unreadable (folder: string, cause: unknown): Error {
  return new Error(`The key ring in ${folder} cannot be read: ${(cause as Error).message}.`, { cause })
}

/** The keys that have a file: all but the revoked. */
export function published (keys: KeyRecord[]): KeyRecord[] {
  return keys.filter(({ state }) => state !== 'revoked')
}

/** Throws a sentence that names the chmod if somebody else may read the ring. */
export async function assertPrivate (folder: string, manifest: Manifest): Promise<void> {
  // Kubernetes mounts a secret read-only, open as a folder, its files owned by root and readable by the pod's group at the
  // least. Nobody can write there, and the files' own modes keep others out.
  const isMount = await access(folder, constants.W_OK).then(() => false, (error: NodeJS.ErrnoException) => error.code === 'EROFS')
  if (!isMount) await assertMode(folder, 0o700)
  const files = [MANIFEST, ...[...published(manifest.signing), ...published(manifest.refresh)].map(({ file }) => file)]
  for (const file of files) await assertMode(join(folder, file), isMount ? 0o640 : 0o600)
}

async function assertMode (path: string, allowed: number): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o777 & ~allowed) !== 0) throw new Error(`${path} is open to others: chmod ${allowed.toString(8)} ${path}`)
}

/** The text of a key's file. */
export async function readKeyFile (folder: string, key: KeyRecord): Promise<string> {
  return await readTextSparing(join(folder, key.file))
}

/** Writes a new file, synced. Nothing refers to it until a manifest does. */
export async function writeKeyFile (folder: string, name: string, text: string): Promise<void> {
  await writeDurably(join(folder, name), text)
}

/** Puts a manifest in the place of the one before, at one instant. */
export async function replaceManifest (folder: string, manifest: Manifest): Promise<void> {
  await rm(join(folder, DRAFT), { force: true })
  await writeDurably(join(folder, DRAFT), `${JSON.stringify(manifest, null, 2)}\n`)
  // The names of new keys' files are on disk before the manifest that refers to them, and that one before the next change.
  await syncFolder(folder)
  await rename(join(folder, DRAFT), join(folder, MANIFEST))
  await syncFolder(folder)
}

/** Removes the keys' files that the manifest does not name: of keys that left, and what a crash left behind. */
export async function removeUnused (folder: string, manifest: Manifest): Promise<void> {
  const used = new Set([...published(manifest.signing), ...published(manifest.refresh)].map(({ file }) => file))
  const unused = (await readdir(folder)).filter(name => /^(signing-.*\.pem|refresh-.*\.key)$/.test(name) && !used.has(name))
  for (const name of unused) await rm(join(folder, name))
}

async function writeDurably (path: string, text: string): Promise<void> {
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
