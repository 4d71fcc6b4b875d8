// One fetch of a status list (draft-ietf-oauth-status-list-21), and what is taken from it; holds no rule of when to fetch and keeps nothing.
import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import { jwtVerify, type CryptoKey } from 'jose'
import { get, textOf, type GetRequest } from './bounded-get.js'

export interface StatusList {
  /** A bit an index, the lowest of the first byte first; 1 is closed. */
  bits: Uint8Array
  /** Seconds since the epoch. */
  issuedAt: number
  expiresAt: number
  /** For how many seconds it counts before it is to be fetched again. */
  ttl: number
  /** By which the authority knows that it has not changed; undefined where it did not say. */
  etag: string | undefined
}

export interface StatusListRequest extends GetRequest {
  /** The `iss` of a good list. */
  issuer: string
  /** The `sub` of a good list: the address that tokens have for it. */
  subject: string
  /** The authority's key of an id. What it throws is why there is no list. */
  findKey: (id: string) => Promise<CryptoKey>
  /** That of a list which is kept, if one is. */
  etag: string | undefined
  /** Milliseconds since the epoch. */
  now: () => number
}

export type Standing = 'live' | 'closed' | 'beyond'

/** Bytes of an answer: more than a list of the next bound that does not compress takes, in base64url twice. */
const MAX_LENGTH = 16 * 1024 * 1024
/** Bytes of a list: 2^26 log-ins. */
const MAX_INFLATED = 8 * 1024 * 1024
/** Seconds. */
const DEFAULT_TTL = 10
const MAX_TTL = 300
/** However long a list says that it is good, it is for an hour: Signet says five minutes. Seconds. */
const MAX_LIFE = 3600
/** How far in the future a list may seem to have been issued before one of the clocks must be wrong: seconds. */
const FUTURE = 300
/** RFC 7515, section 2: no padding. */
const BASE64URL = /^[\w-]+$/

const inflateAside = promisify(inflate)

/** Fetches a list; undefined where the one of the `etag` has not changed. Throws, saying why, if what comes is not a good list of the authority's. */
export async function fetchStatusList (request: StatusListRequest): Promise<StatusList | undefined> {
  const { uri, etag } = request
  const answer = await get(request, { accept: 'application/statuslist+jwt', ...(etag !== undefined && { 'if-none-match': etag }) }, MAX_LENGTH)
  if (answer.status === 304 && etag !== undefined) return undefined
  const { bits, ...times } = await readList(textOf(answer, uri), request)
  return { bits, ...times, etag: answer.headers.get('etag') ?? undefined }
}

/** Section 8.3 of the draft. */
async function readList (text: string, { issuer, subject, findKey, now }: StatusListRequest): Promise<Omit<StatusList, 'etag'>> {
  const keyOf = async ({ kid }: { kid?: string }) => {
    if (typeof kid !== 'string') throw new Error('the list names no key')
    return await findKey(kid)
  }
  const { payload } = await jwtVerify(text, keyOf, { algorithms: ['RS256'], typ: 'statuslist+jwt', issuer, subject, requiredClaims: ['iat', 'exp'], currentDate: new Date(now()) })
  const [issuedAt, expiresAt, seconds] = [payload.iat!, payload.exp!, now() / 1000]
  if (issuedAt > seconds + FUTURE) throw new Error('the list was issued in the future')
  return { bits: await readBits(payload['status_list']), issuedAt, expiresAt: Math.min(expiresAt, seconds + MAX_LIFE), ttl: readTtl(payload['ttl']) }
}

/** Section 4.2 of the draft, for lists of one bit an entry. */
async function readBits (list: unknown): Promise<Uint8Array> {
  const { bits, lst } = (list ?? {}) as { bits?: unknown, lst?: unknown }
  if (bits !== 1) throw new Error('the list is not of one bit an entry')
  if (typeof lst !== 'string' || !BASE64URL.test(lst)) throw new Error('the list is not in base64url')
  return await inflateAside(Buffer.from(lst, 'base64url'), { maxOutputLength: MAX_INFLATED })
}

function readTtl (ttl: unknown = DEFAULT_TTL): number {
  if (typeof ttl !== 'number' || ttl <= 0) throw new Error('the ttl of the list is not a positive number')
  return Math.max(1, Math.min(ttl, MAX_TTL))
}

/** How an entry of a list stands, whatever number its index is. */
export function standingOf (index: number, { bits }: StatusList): Standing {
  // A division, for a shift takes an index for another's from 2^31 on.
  const byte = bits[Math.floor(index / 8)]
  if (byte === undefined) return 'beyond'
  return byte >> (index % 8) & 1 ? 'closed' : 'live'
}

/**
 * What is known when a list has come: what it says, unless it is no younger than the last, as from a server or a cache that is
 * behind. Then what was closed in the last stays closed, for an index is never given twice.
 */
export function joinLists (last: StatusList | undefined, fresh: StatusList): StatusList {
  if (!last || fresh.issuedAt > last.issuedAt) return fresh
  return { ...fresh, issuedAt: last.issuedAt, bits: fresh.bits.map((byte, place) => byte | (last.bits[place] ?? 0)) }
}
