// Key rings for tests: made in a folder and read from it; holds no assertion.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createRing } from '../../src/keyring/ring-changes.js'
import { KeyRing, readRing } from '../../src/keyring/key-ring.js'
import type { Manifest, RingPlace } from '../../src/keyring/ring-files.js'

/** Makes the ring of a folder that has none, with keys of its own. `now` in milliseconds. */
export async function makeRing (place: RingPlace, now: number): Promise<boolean> {
  return await createRing(place, { now, by: 'command' }, { milliseconds: 10_000 })
}

let model: Promise<string> | undefined

/** Gives a folder a ring as it would have been made at `now`; the keys are those of the test file's first one, for most of the time of a test went into making keys. */
export async function copyRing (folder: string, now: number): Promise<void> {
  copyFolder(await (model ??= makeModel()), folder)
  const manifest = join(folder, 'manifest.json')
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replaceAll(new Date(0).toISOString(), new Date(now).toISOString()))
}

/** Copies the folder of a ring, and leaves it its owner's alone, which the copy by itself is not on Node 24. */
export function copyFolder (from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 })
  cpSync(from, to, { recursive: true })
}

async function makeModel (): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-ring-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  await makeRing({ folder }, 0)
  return folder
}

/** Makes of a ring one of the time before there were sealing secrets. */
export function makeOlder (folder: string): void {
  const path = join(folder, 'manifest.json')
  const { sealing, sealing_history: _, ...older } = JSON.parse(readFileSync(path, 'utf8')) as Manifest
  for (const { file } of sealing!) rmSync(join(folder, file))
  writeFileSync(path, JSON.stringify(older))
}

/** The ring that a folder holds, ready to sign. */
export async function openRing (place: RingPlace): Promise<KeyRing> {
  return new KeyRing((await readRing(place))!.parts)
}
