// An authenticator app of a proof's own (RFC 6238, of SHA-1, six digits and 30 seconds; RFC 4226, section 5.3), which shares no code with the server; holds no check.
import { createHmac } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The time step of an instant in milliseconds. */
export function stepAt (now: number): number {
  return Math.floor(now / 30_000)
}

/** The code of a time step, by the secret as a person types it (RFC 4648, section 6). */
export function codeAt (secret: string, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', bytesOf(secret)).update(counter).digest()
  const number = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fff_ffff
  return String(number % 1_000_000).padStart(6, '0')
}

function bytesOf (secret: string): Buffer {
  const bits = [...secret.replace(/[\s=-]/g, '').toUpperCase()].map(letter => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from(bits.match(/.{8}/g)!.map(byte => parseInt(byte, 2)))
}
