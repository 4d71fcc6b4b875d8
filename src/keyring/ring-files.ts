// The ring on disk: a manifest, and files that only their owner reads, or a group that a folder is given to, replaced so that a crash leaves the old or the new; holds no key in use and no rule of a key's life.
import { chmodSync, chownSync, statSync, type Stats } from 'node:fs'
import { access, chmod, constants, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KEY_KINDS, type KeyKind, type KeyRecord } from '../core/key-life-cycle.js'
import { inWords, isDenied } from '../faults.js'
import { findFault, Type, type Static } from '../schema.js'
import { readTextSparing } from './spare-file.js'

/** Where a ring is, and the passphrase of its private keys where they have one. */
export interface RingPlace { folder: string, passphrase?: string | undefined }

/** The place of a ring in `folder` whose passphrase, if it has one, is in a file. Throws a sentence if that cannot be read, or may be read by others. */
export async function ringPlace (folder: string, passphraseFile: string): Promise<RingPlace> {
  if (passphraseFile === '') return { folder }
  const text = await readFile(passphraseFile, 'utf8').catch((cause: unknown) => { throw new Error(`The setting KEYS_PASSPHRASE_FILE names a file that cannot be read: ${inWords(cause)}.`, { cause }) })
  assertMode(passphraseFile, await stat(passphraseFile), await isOnReadOnlyDisk(passphraseFile) ? MOUNTED.file : PRIVATE.file)
  // Editors end a file with a line break, which is nobody's passphrase.
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') throw new Error('The setting KEYS_PASSPHRASE_FILE names a file that is empty.')
  return { folder, passphrase }
}

/** Throws a sentence if a passphrase, with which a ring is to be made, holds what people and editors add and do not see; an older ring may be under one. */
export function assertPlainPassphrase (passphrase: string | undefined): void {
  if (passphrase === undefined || !/^\s|\s$|[\p{Cc}\p{Cf}\uFFFD]/u.test(passphrase)) return
  throw new Error('The file of KEYS_PASSPHRASE_FILE must hold one line of text in UTF-8, without blanks around it and without a byte order mark; nobody would see them, and a ring that is made with them opens with nothing else.')
}

const Instant = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' })
const InstantOrNull = Type.Union([Instant, Type.Null()])
const Id = Type.String({ pattern: '^[\\w-]+$' })
const State = Type.Union([Type.Literal('next'), Type.Literal('active'), Type.Literal('retired'), Type.Literal('revoked')])
const StateOrNull = Type.Union([State, Type.Null()])

const Key = Type.Object({
  id: Id,
  state: State,
  file: Type.String({ pattern: '^(signing-[\\w-]+\\.pem|(refresh|sealing)-[\\w-]+\\.key)$' }),
  bits: Type.Optional(Type.Integer()),
  created_at: Instant,
  published_at: Instant,
  activated_at: InstantOrNull,
  retired_at: InstantOrNull,
})

/** A step that was taken, for those who ask what signed when. */
const HistoryEntry = Type.Object({
  at: Instant,
  kind: Type.Union([Type.Literal('signing'), Type.Literal('refresh'), Type.Literal('sealing')]),
  id: Id,
  from: StateOrNull,
  to: StateOrNull,
  by: Type.Union([Type.Literal('command'), Type.Literal('server')]),
  /** The operator who ran the command. */
  who: Type.Optional(Type.String()),
})
export type HistoryEntry = Static<typeof HistoryEntry>

const Manifest = Type.Object({
  version: Type.Literal(1),
  signing: Type.Array(Key),
  refresh: Type.Array(Key),
  /** None in a ring that was made before there was this kind. */
  sealing: Type.Optional(Type.Array(Key)),
  history: Type.Optional(Type.Array(HistoryEntry)),
  /** The steps of the sealing secrets: apart, for a Signet of before them refuses a history in which there is a kind that it does not know, and leaves alone a member that it does not. */
  sealing_history: Type.Optional(Type.Array(HistoryEntry)),
})
export type Manifest = Static<typeof Manifest>

/** The keys of a kind; none of one that is younger than the ring. */
export function keysOf (manifest: Manifest, kind: KeyKind): KeyRecord[] {
  return manifest[kind] ?? []
}

/** The member of a manifest that has the steps of a kind. */
export function historyMember (kind: KeyKind): 'history' | 'sealing_history' {
  return kind === 'sealing' ? 'sealing_history' : 'history'
}

/** The steps that were taken in a ring, as its manifest lists them, to the ends of which steps are added; none of what is older than its history. */
export function historiesOf ({ history = [], sealing_history: sealing = [] }: Manifest): [history: HistoryEntry[], sealing: HistoryEntry[]] {
  return [history, sealing]
}

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
    const manifest = parseJson(text)
    if ((manifest as Partial<Manifest> | null)?.version !== 1) throw new Error('its manifest is of another version')
    const fault = findFault(Manifest, manifest)
    if (fault !== undefined) throw new Error(`its manifest is damaged at ${fault}`)
    const { signing, refresh, sealing } = manifest as Manifest
    for (const keys of [signing, refresh, ...sealing ? [sealing] : []]) assertServing(keys)
    return manifest as Manifest
  } catch (cause) {
    throw unreadable(folder, cause)
  }
}

function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error('its manifest is not JSON', { cause })
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
  return new Error(`The key ring in ${folder} cannot be read: ${inWords(cause)}${mending(folder, cause)}`, { cause })
}

/** How a sentence about a file ends that this user may not read: with the command that mends it. */
export function mending (path: string, cause: unknown): string {
  return isDenied(cause) ? `: chown -R ${process.geteuid!()} ${path}` : '.'
}

/** The keys that have a file: all but the revoked. */
export function published (keys: KeyRecord[]): KeyRecord[] {
  return keys.filter(({ state }) => state !== 'revoked')
}

function keyFilesOf (manifest: Manifest): string[] {
  return KEY_KINDS.flatMap(kind => published(keysOf(manifest, kind)).map(({ file }) => file))
}

/** What a ring may be open to at the most. */
interface Modes { folder: number, file: number }
const PRIVATE: Modes = { folder: 0o700, file: 0o600 }
/**
 * Kubernetes mounts a secret read-only, open as a folder, its files owned by root and readable by the pod's group at the
 * least. Nobody can write there, and the files' own modes keep others out.
 */
const MOUNTED: Modes = { folder: 0o777, file: 0o640 }
/** A volume that Kubernetes gives to a pod's group (fsGroup): the folder passes its group on, and others may see no more than names. */
const GROUPS_VOLUME: Modes = { folder: 0o775, file: 0o660 }
/** An image's folder for OpenShift, whose containers run as any user of root's group, to which nobody else belongs. */
const ROOT_GROUPS: Modes = { folder: 0o770, file: 0o660 }

/** Throws a sentence that names the command that mends it if somebody else may read the ring, or put another in its place. */
export async function assertPrivate (folder: string, manifest: Manifest): Promise<void> {
  await assertOwned(folder)
  const found = await lookAt(folder)
  const modes = await isOnReadOnlyDisk(folder) ? MOUNTED : modesOf(found)
  assertMode(folder, found, modes.folder)
  for (const file of [MANIFEST, ...keyFilesOf(manifest)]) {
    const path = join(folder, file)
    const { mode, gid } = await lookAt(path)
    assertMode(path, { mode }, modes.file)
    if (modes !== MOUNTED && (mode & 0o070) !== 0 && gid !== found.gid) throw new Error(`${path} is open to another group than its folder: chgrp ${found.gid} ${path}`)
  }
}

/** Throws a sentence if the folder is there and belongs to somebody who could put other keys into it: neither this user nor root. */
export async function assertOwned (folder: string): Promise<void> {
  const us = process.geteuid!()
  const { uid } = await lookAt(folder)
  if (uid !== us && uid !== 0) throw new Error(`${folder} belongs to user ${uid}, who could put other keys into it: run as that user, or chown -R ${us} ${folder}`)
}

/** The modes of a ring in a folder: by the folder's own it is for one user, or for a group. */
export function modesOf ({ mode, gid }: Pick<Stats, 'mode' | 'gid'>): Modes {
  if ((mode & 0o070) !== 0o070) return PRIVATE
  if ((mode & 0o2000) !== 0) return GROUPS_VOLUME
  return gid === 0 ? ROOT_GROUPS : PRIVATE
}

/** Makes the folder this user's alone, but for one that is given to a group. */
export async function closeFolder (folder: string): Promise<void> {
  if (modesOf(await stat(folder)) === PRIVATE) await chmod(folder, PRIVATE.folder)
}

async function lookAt (path: string): Promise<Stats> {
  return await stat(path).catch((cause: unknown) => { throw new Error(`${path} cannot be read: ${inWords(cause)}${mending(path, cause)}`, { cause }) })
}

async function isOnReadOnlyDisk (path: string): Promise<boolean> {
  return await access(path, constants.W_OK).then(() => false, (error: NodeJS.ErrnoException) => error.code === 'EROFS')
}

function assertMode (path: string, { mode }: Pick<Stats, 'mode'>, allowed: number): void {
  if ((mode & 0o077 & ~allowed) !== 0) throw new Error(`${path} is open to others: chmod ${(mode & 0o2000 | allowed).toString(8)} ${path}`)
}

/** The text of a key's file. */
export async function readKeyFile (folder: string, key: KeyRecord): Promise<string> {
  return await readTextSparing(join(folder, key.file))
}

/** Writes a new file, synced. Nothing refers to it until a manifest does. */
export async function writeKeyFile (folder: string, name: string, text: string): Promise<void> {
  await writeDurably(folder, name, text)
}

/** Puts a manifest in the place of the one before, at one instant. */
export async function replaceManifest (folder: string, manifest: Manifest): Promise<void> {
  await rm(join(folder, DRAFT), { force: true })
  await writeDurably(folder, DRAFT, `${JSON.stringify(manifest, null, 2)}\n`)
  // The names of new keys' files are on disk before the manifest that refers to them, and that one before the next change.
  await syncFolder(folder)
  await rename(join(folder, DRAFT), join(folder, MANIFEST))
  await syncFolder(folder)
}

/** Removes the keys' files that the manifest does not name: of keys that left, and what a crash left behind. */
export async function removeUnused (folder: string, manifest: Manifest): Promise<void> {
  const used = new Set(keyFilesOf(manifest))
  const unused = (await readdir(folder)).filter(name => /^(signing-.*\.pem|(refresh|sealing)-.*\.key)$/.test(name) && !used.has(name))
  for (const name of unused) await rm(join(folder, name))
}

async function writeDurably (folder: string, name: string, text: string): Promise<void> {
  const file = await open(join(folder, name), 'wx', PRIVATE.file)
  try {
    protect(folder, name)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Opens a file of this user to the group that its folder is given to, if it is, and to nobody else, whatever the umask. */
export function protect (folder: string, name: string): void {
  const { mode, gid } = statSync(folder)
  const modes = modesOf({ mode, gid })
  if (modes !== PRIVATE) chownSync(join(folder, name), process.geteuid!(), gid)
  chmodSync(join(folder, name), modes.file)
}

async function syncFolder (folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
