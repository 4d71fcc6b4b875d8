// Carries out on disk what the rules planned: under the lock, keys first, then the manifest at one instant; holds no rule.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { carryOut, FIRST_STEPS, inState, KEY_KINDS, planBeginning, type KeyKind, type KeyRecord, type NewKey, type Plan, type Step } from '../core/key-life-cycle.js'
import { inWords } from '../faults.js'
import { makeFolder } from '../folders.js'
import { makeSecret, makeSigningKey } from './key-material.js'
import { readParts } from './key-ring.js'
import { assertOwned, assertPlainPassphrase, closeFolder, historyMember, keysOf, readManifest, readManifestText, removeUnused, replaceManifest, writeKeyFile, type HistoryEntry, type Manifest, type RingPlace } from './ring-files.js'
import { withLock, type Patience } from './ring-lock.js'

/** Who changed the ring. */
export type Author = HistoryEntry['by']

/** A change of the keys of one kind. `now` in milliseconds; `who` is the operator who asks for it; `bits` of an RSA key that is made, else as many as the active one has. */
export interface Change { kind: KeyKind, plan: (keys: KeyRecord[]) => Plan, now: number, by: Author, who?: string | undefined, bits?: number | undefined }

const DEFAULT_BITS = 2048

/** What a change would do now. Throws a sentence if the ring cannot be read. */
export async function rehearseChange ({ folder }: RingPlace, { kind, plan }: Change): Promise<Plan> {
  return plan(keysOf(await readManifest(folder), kind))
}

/**
 * Plans by the ring as it stands and takes the steps, which are answered with the ids of new keys. A ring of before there were sealing secrets gets
 * them along. Throws a sentence, and changes nothing, if it cannot.
 */
export async function changeRing (place: RingPlace, change: Change, patience: Patience): Promise<Plan> {
  await readManifest(place.folder)
  await assertOwned(place.folder)
  return await withLock(place.folder, patience, async () => {
    const manifest = await readManifest(place.folder)
    const plan = change.plan(keysOf(manifest, change.kind))
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
    const empty: Manifest = { version: 1, signing: [], refresh: [], sealing: [], history: [], sealing_history: [] }
    const { manifest } = await prepareAll(place, empty, new Map(KEY_KINDS.map(kind => [kind, FIRST_STEPS])), change)
    await replaceManifest(place.folder, manifest)
    return true
  })
}

async function take (place: RingPlace, manifest: Manifest, planned: Step[], change: Omit<Change, 'plan'>): Promise<Step[]> {
  const plans = new Map<KeyKind, Step[]>([['sealing', planBeginning(keysOf(manifest, 'sealing')).steps], [change.kind, planned]])
  const { manifest: changed, steps, made } = await prepareAll(place, manifest, plans, change)
  try {
    // A ring that servers would refuse, for it lacks a key or is under another passphrase, is never made the ring.
    if (made.length > 0) await readParts(place, changed)
  } catch (error) {
    await Promise.all(made.map(async ({ file }) => { await rm(join(place.folder, file)) }))
    throw error
  }
  await replaceManifest(place.folder, changed)
  await removeUnused(place.folder, changed)
  return steps.get(change.kind)!
}

interface Prepared { manifest: Manifest, steps: Map<KeyKind, Step[]>, made: NewKey[] }

/** Makes the keys that the steps of each kind need, and the manifest after them, which nobody sees yet. */
async function prepareAll (place: RingPlace, manifest: Manifest, plans: ReadonlyMap<KeyKind, Step[]>, change: Omit<Change, 'kind' | 'plan'>): Promise<Prepared> {
  const all: Prepared = { manifest, steps: new Map(), made: [] }
  for (const [kind, planned] of plans) {
    const { steps, made, ...after } = await prepare(place, all.manifest, planned, { ...change, kind })
    all.manifest = after.manifest
    all.steps.set(kind, steps)
    all.made.push(...made)
  }
  return all
}

async function prepare (place: RingPlace, manifest: Manifest, planned: Step[], { kind, now, by, who, bits }: Omit<Change, 'plan'>): Promise<{ manifest: Manifest, steps: Step[], made: NewKey[] }> {
  const keys = keysOf(manifest, kind)
  const made = await Promise.all(planned.filter(({ from }) => from === null).map(async () => await makeKey(place, kind, bits ?? bitsOf(keys))))
  const after = carryOut(keys, planned, made, now)
  const at = new Date(now).toISOString()
  const history = [...manifest[historyMember(kind)] ?? [], ...after.steps.map<HistoryEntry>(({ id, from, to }) => ({ at, kind, id: id!, from, to, by, ...(who !== undefined && { who }) }))]
  return { manifest: { ...manifest, [kind]: after.keys, [historyMember(kind)]: history }, steps: after.steps, made }
}

async function makeKey ({ folder, passphrase }: RingPlace, kind: KeyKind, bits: number): Promise<NewKey> {
  const { id, text } = kind === 'signing' ? await makeSigningKey(bits, passphrase) : await makeSecret(passphrase)
  const key: NewKey = kind === 'signing' ? { id, file: `signing-${id}.pem`, bits } : { id, file: `${kind}-${id}.key` }
  await writeKeyFile(folder, key.file, text)
  return key
}

function bitsOf (keys: KeyRecord[]): number {
  return inState(keys, 'active')?.bits ?? DEFAULT_BITS
}
