// Where a family has its bit in the status lists (draft-ietf-oauth-status-list-21, section 4): lists, serial numbers, the order of places; holds no list and no clock.
import { createCipheriv } from 'node:crypto'

/** The families that share one list: 128 KiB, in which each hides among a million. */
export const LIST_SIZE = 2 ** 20
export const LIST_BYTES = LIST_SIZE / 8
export const KEY_BYTES = 32

/** Two halves of a place, mixed with each other so many times: Feistel's network, for a permutation of the places. */
const HALF_BITS = 10
const HALVES = 2 ** HALF_BITS
const ROUNDS = 10

/** The claim of an access token by which its family is found in a list (section 6.1). */
export interface StatusClaim { status_list: { idx: number, uri: string } }

/** The claims of a list itself (section 5.1). Times and `ttl` are seconds. */
export interface StatusListClaims { iss: string, sub: string, iat: number, exp: number, ttl: number, status_list: { bits: 1, lst: string } }

/** Serial numbers run through all lists. */
export function serialOf (list: number, place: number): number {
  return list * LIST_SIZE + place
}

/** The list that a serial number is in, and the how-manieth of it it is. */
export function placeOf (serial: number): { list: number, place: number } {
  return { list: Math.floor(serial / LIST_SIZE), place: serial % LIST_SIZE }
}

/**
 * The order of the places in one list, by its key of 32 random bytes: every place has an index of its own, which says to nobody how many log-ins
 * there were before (section 13.2).
 */
export class Permutation {
  /** What each round adds to one half for the other, drawn once: without the key it is noise. */
  readonly #rounds: Uint16Array

  constructor (key: Buffer) {
    const noise = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(ROUNDS * HALVES * 2))
    this.#rounds = Uint16Array.from({ length: ROUNDS * HALVES }, (_, at) => noise.readUInt16LE(at * 2) % HALVES)
  }

  /** The bit that stands for a place. */
  indexOf (place: number): number {
    let [left, right] = [place >> HALF_BITS, place % HALVES]
    for (let round = 0; round < ROUNDS; round++) {
      const mixed = left ^ this.#rounds[round * HALVES + right]!
      left = right
      right = mixed
    }
    return left * HALVES + right
  }
}

/** Sets the bit of an index, the lowest of a byte first (section 4.1), or clears it. */
export function writeBit (bytes: Buffer, index: number, bit: 0 | 1): void {
  const mask = 1 << (index & 7)
  bytes[index >> 3] = bit ? bytes[index >> 3]! | mask : bytes[index >> 3]! & ~mask
}

export function readBit (bytes: Buffer, index: number): boolean {
  return (bytes[index >> 3]! >> (index & 7) & 1) === 1
}
