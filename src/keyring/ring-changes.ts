// Carries out on disk what the rules planned: under the lock, keys first, then the manifest at one instant; holds no rule.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { carryOut, FIRST_STEPS, inState, type KeyKind, type KeyRecord, type NewKey, type Plan, type Step } from '../core/key-life-cycle.js'
import { inWords } from '../faults.js'
import { makeFolder } from '../folders.js'
import { makeRefreshSecret, makeSigningKey } from './key-material.js'
import { readParts } from './key-ring.js'
import { assertOwned, assertPlainPassphrase, closeFolder, readManifest, readManifestText, removeUnused, replaceManifest, writeKeyFile, type HistoryEntry, type Manifest, type RingPlace } from './ring-files.js'
import { withLock, type Patience } from './ring-lock.js'

/** Who changed the ring. */
export type Author = HistoryEntry['by']

/** A change of the keys of one kind. `now` in milliseconds; `who` is the operator who asks for it; `bits` of an RSA key that is made, else as many as the active one has. */
export interface Change { kind: KeyKind, plan: (keys: KeyRecord[]) => Plan, now: number, by: Author, who?: string | undefined, bits?: number | undefined }

const DEFAULT_BITS = 2048

/** What a change would do now. Throws a sentence if the ring cannot be read. */
export async function rehearseChange ({ folder }: RingPlace, { kind, plan }: Change): Promise<Plan> {
  return plan((await readManifest(folder))[kind])
}

/** Plans by the ring as it stands and takes the steps, which are answered with the ids of new keys. Throws a sentence, and changes nothing, if it cannot. */
export async function changeRing (place: RingPlace, change: Change, patience: Patience): Promise<Plan> {
  await readManifest(place.folder)
  await assertOwned(place.folder)
  return await withLock(place.folder, patience, async () => {
    const manifest = await readManifest(place.folder)
    const plan = change.plan(manifest[change.kind])
    if ('refused' in plan || plan.steps.length === 0) return plan
    return { steps: await take(place, manifest, plan.steps, change) }
  })
}

/**
 * Makes a ring in a folder that has none, with an active and a next key of each kind. Returns whether this call made it.
 * `now` in milliseconds.
 */
export async function createRing (place: RingPlace, change: Omit<Change, 'kind' | 'plan'>, patience: Patience): Promise<boolean> {
  assertPlainPassphrase(place.passphrase)
  try {
    makeFolder(place.folder)
  } catch (cause) {
    throw new Error(`The folder ${place.folder} of KEYS_DIR cannot be made: ${inWords(cause)}.`, { cause })
  }
  await assertOwned(place.folder)
  return await withLock(place.folder, patience, async () => {
    if (await readManifestText(place.folder) !== undefined) return false
    await closeFolder(place.folder)
    let manifest: Manifest = { version: 1, signing: [], refresh: [], history: [] }
    for (const kind of ['signing', 'refresh'] as const) ({ manifest } = await prepare(place, manifest, FIRST_STEPS, { ...change, kind }))
    await replaceManifest(place.folder, manifest)
    return true
  })
}

async function take (place: RingPlace, manifest: Manifest, planned: Step[], change: Omit<Change, 'plan'>): Promise<Step[]> {
  const { manifest: changed, steps, made } = await prepare(place, manifest, planned, change)
  try {
    // A ring that servers would refuse, for it lacks a key or is under another passphrase, is never made the ring.
    if (made.length > 0) await readParts(place, changed)
  } catch (error) {
    await Promise.all(made.map(async ({ file }) => { await rm(join(place.folder, file)) }))
    throw error
  }
  await replaceManifest(place.folder, changed)
  await removeUnused(place.folder, changed)
  return steps
}

/** Makes the keys that the steps need, and the manifest after them, which nobody sees yet. */
async function prepare (place: RingPlace, manifest: Manifest, planned: Step[], { kind, now, by, who, bits }: Omit<Change, 'plan'>): Promise<{ manifest: Manifest, steps: Step[], made: NewKey[] }> {
  const keys = manifest[kind]
  const made = await Promise.all(planned.filter(({ from }) => from === null).map(async () => await makeKey(place, kind, bits ?? bitsOf(keys))))
  const after = carryOut(keys, planned, made, now)
  const at = new Date(now).toISOString()
  const history = [...manifest.history ?? [], ...after.steps.map<HistoryEntry>(({ id, from, to }) => ({ at, kind, id: id!, from, to, by, ...(who !== undefined && { who }) }))]
  return { manifest: { ...manifest, [kind]: after.keys, history }, steps: after.steps, made }
}

async function makeKey ({ folder, passphrase }: RingPlace, kind: KeyKind, bits: number): Promise<NewKey> {
  const { id, text } = kind === 'signing' ? await makeSigningKey(bits, passphrase) : await makeRefreshSecret(passphrase)
  const key: NewKey = kind === 'signing' ? { id, file: `signing-${id}.pem`, bits } : { id, file: `refresh-${id}.key` }
  await writeKeyFile(folder, key.file, text)
  return key
}

function bitsOf (keys: KeyRecord[]): number {
  return inState(keys, 'active')?.bits ?? DEFAULT_BITS
}
