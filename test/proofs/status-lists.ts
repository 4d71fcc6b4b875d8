// The status lists that a verifier must take and those that it must not, each a right one with one thing changed; holds no server and no verdict.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { deflateRawSync, deflateSync } from 'node:zlib'
import { ATTACKER_KEY_ID, attackerJwk, damage, hmac, rsa, signAsAttacker, writeJws, type Signer } from './jws.js'

export interface ListIngredients {
  /** The list's own address, as tokens name it. */
  uri: string
  issuer: string
  keyId: string
  privateKey: KeyObject
  attackerUrl: string
  /** In milliseconds. */
  now: number
}

/** What a server answers; 200 where no status is given. Where it drips, that is the beginning of an answer, as it is sent, which then goes on by a byte now and then, and has no end. */
export interface Answer { status?: number, headers?: Record<string, string>, body: string, drips?: string }

/** Writes the one thing that is changed, over a list of these bits. */
interface Pen extends ListIngredients {
  bits: Buffer
  right: string
  headed: (members: object, signer?: Signer) => Answer
  claiming: (claims: object) => Answer
  listing: (members: object) => Answer
}

export type Write = (pen: Pen) => Answer

export const ENTRIES = 2 ** 20
const LIFE = 300
/** Beyond the largest leeway that a verifier grants unasked, which is a minute. In seconds. */
const BEYOND_LEEWAY = 120
const LARGEST_LIST = 8 * 2 ** 20
/** As base64url it is longer than 16 MiB. */
const TOO_LONG = 13 * 2 ** 20

/** One bit an entry, the least significant one first (draft-ietf-oauth-status-list-21, section 4.1). */
export function bitsOf (closed: number[], entries = ENTRIES): Buffer {
  const bits = Buffer.alloc(entries / 8)
  for (const index of closed) bits[index >> 3]! |= 1 << (index & 7)
  return bits
}

export function invert (bits: Buffer): Buffer {
  return bits.map(byte => ~byte) as Buffer
}

/** A list as Signet writes it, but for these claims. */
export function rightList (ingredients: ListIngredients, bits: Buffer, claims: object = {}): Answer {
  return takePen(ingredients, bits).claiming(claims)
}

/** Lists that must be taken, by what they have, which completes "a list that …". */
export const UNUSUAL_LISTS: Record<string, Write> = {
  'has its type in full': ({ headed }) => headed({ typ: 'application/statuslist+jwt' }),
  'has its type in capitals': ({ headed }) => headed({ typ: 'StatusList+JWT' }),
  'has no ttl': ({ claiming }) => claiming({ ttl: undefined }),
  'has a ttl of a day': ({ claiming }) => claiming({ ttl: 86_400 }),
  'has a ttl of two seconds and a half': ({ claiming }) => claiming({ ttl: 2.5 }),
  'has a claim that nobody knows': ({ claiming }) => claiming({ another: { a: [1] } }),
  'was issued by a clock that is four minutes ahead': ({ claiming, now }) => claiming({ iat: seconds(now) + 240 }),
  'was deflated without compression': ({ listing, bits }) => listing({ lst: base64(deflateSync(bits, { level: 0 })) }),
  'has sixteen entries': ({ listing, bits }) => listing({ lst: base64(deflateSync(bits.subarray(0, 2))) }),
  'inflates to 8 MiB': ({ listing, bits }) => listing({ lst: base64(deflateSync(widen(bits, LARGEST_LIST))) }),
}

/** Lists that must change nothing, by what is wrong with them, which completes "a list that …". */
export const BAD_LISTS: Record<string, Write> = {
  'is that of another number': ({ claiming, uri }) => claiming({ sub: `${uri}0` }),
  'has no subject': ({ claiming }) => claiming({ sub: undefined }),
  'is of another issuer': ({ claiming }) => claiming({ iss: 'https://another.example' }),
  'has no issuer': ({ claiming }) => claiming({ iss: undefined }),
  'has expired': ({ claiming, now }) => claiming({ iat: seconds(now) - LIFE - BEYOND_LEEWAY, exp: seconds(now) - BEYOND_LEEWAY }),
  'has no expiry': ({ claiming }) => claiming({ exp: undefined }),
  'was issued in the future': ({ claiming, now }) => claiming({ iat: seconds(now) + 2 * LIFE, exp: seconds(now) + 3 * LIFE }),
  'says not when it was issued': ({ claiming }) => claiming({ iat: undefined }),
  'has a ttl of 0': ({ claiming }) => claiming({ ttl: 0 }),
  'has a ttl that is text': ({ claiming }) => claiming({ ttl: '10' }),
  'has the type at+jwt': ({ headed }) => headed({ typ: 'at+jwt' }),
  'has the type JWT': ({ headed }) => headed({ typ: 'JWT' }),
  'has no type': ({ headed }) => headed({ typ: undefined }),
  'has the algorithm none and no signature': ({ headed }) => headed({ alg: 'none' }, () => Buffer.of()),
  'is signed with HS256 and the PEM of our public key': ({ headed, privateKey }) => headed({ alg: 'HS256' }, hmac(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }))),
  'is signed by our key with RS512': ({ headed, privateKey }) => headed({ alg: 'RS512' }, rsa('sha512', privateKey)),
  'is signed by our key under an unknown id': ({ headed }) => headed({ kid: 'unknown' }),
  'is signed by another key under our id': ({ headed }) => headed({}, signAsAttacker),
  'is signed by another key, which it holds': ({ headed }) => headed({ kid: ATTACKER_KEY_ID, jwk: attackerJwk(ATTACKER_KEY_ID) }, signAsAttacker),
  'is signed by another key, to which its jku points': ({ headed, attackerUrl }) => headed({ kid: ATTACKER_KEY_ID, jku: attackerUrl }, signAsAttacker),
  'has a damaged signature': ({ right }) => ({ body: right.replace(/[^.]+$/, damage) }),
  'has two bits an entry': ({ listing }) => listing({ bits: 2 }),
  'says not how many bits an entry has': ({ listing }) => listing({ bits: undefined }),
  'holds no list': ({ claiming }) => claiming({ status_list: undefined }),
  'holds text in the place of a list': ({ claiming }) => claiming({ status_list: 'none' }),
  'holds no bits': ({ listing }) => listing({ lst: undefined }),
  'holds bits that are not base64url': ({ listing }) => listing({ lst: '*' }),
  'was not deflated': ({ listing, bits }) => listing({ lst: base64(bits) }),
  'was deflated without the header of zlib': ({ listing, bits }) => listing({ lst: base64(deflateRawSync(bits)) }),
  'was cut off': ({ listing, bits }) => listing({ lst: base64(deflateSync(bits).subarray(0, -8)) }),
  'inflates to a byte more than 8 MiB': ({ listing, bits }) => listing({ lst: base64(deflateSync(widen(bits, LARGEST_LIST + 1))) }),
  'is longer than 16 MiB': ({ claiming }) => claiming({ padding: 'x'.repeat(TOO_LONG) }),
  'comes with the status 404': ({ right }) => ({ status: 404, body: right }),
  'comes with the status 503': ({ right }) => ({ status: 503, body: right }),
  'is elsewhere, to which a redirect points': ({ attackerUrl }) => ({ status: 302, headers: { location: attackerUrl }, body: '' }),
  'is empty': () => ({ body: '' }),
  'is garbage': () => ({ body: 'garbage' }),
  'is garbage in three parts': () => ({ body: 'a.b.c' }),
}

/** Answers that never end, though something of them comes all the while, by where they are at it. */
export const DRIPS: Record<string, string> = {
  'its headers': 'HTTP/1.1 200 OK\r\nx-padding: ',
  'its body': 'HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n',
  'the size of a chunk': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
}

export function takePen (ingredients: ListIngredients, bits: Buffer): Pen {
  const { uri, issuer, keyId, privateKey, now } = ingredients
  const header = { alg: 'RS256', kid: keyId, typ: 'statuslist+jwt' }
  const list = { bits: 1, lst: base64(deflateSync(bits)) }
  const claims = { iss: issuer, sub: uri, iat: seconds(now), exp: seconds(now) + LIFE, ttl: 10, status_list: list }
  const write = (members: object, claimed: object, signer = rsa('sha256', privateKey)) =>
    ({ body: writeJws({ header: { ...header, ...members }, claims: { ...claims, ...claimed }, signer }) })
  return {
    ...ingredients,
    bits,
    right: write({}, {}).body,
    headed: (members, signer) => write(members, {}, signer),
    claiming: claimed => write({}, claimed),
    listing: members => write({}, { status_list: { ...list, ...members } }),
  }
}

/** The bits, and as many zeros as make them so long. */
function widen (bits: Buffer, length: number): Buffer {
  return Buffer.concat([bits], length)
}

function base64 (bytes: Buffer): string {
  return bytes.toString('base64url')
}

function seconds (now: number): number {
  return Math.floor(now / 1000)
}
