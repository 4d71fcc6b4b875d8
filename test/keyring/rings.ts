// Key rings for tests: made in a folder and read from it; holds no assertion.
import { createRing } from '../../src/keyring/ring-changes.js'
import { KeyRing, readRing } from '../../src/keyring/key-ring.js'
import type { RingPlace } from '../../src/keyring/ring-files.js'

/** Makes the ring of a folder that has none. `now` in milliseconds. */
export async function makeRing (place: RingPlace, now: number): Promise<boolean> {
  return await createRing(place, { now, by: 'command' }, { milliseconds: 10_000 })
}

/** The ring that a folder holds, ready to sign. */
export async function openRing (place: RingPlace): Promise<KeyRing> {
  return new KeyRing((await readRing(place))!.parts)
}
