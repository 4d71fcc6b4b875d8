// What a verification costs with a look at the status list, and without; holds no verifier.
import { deflateSync } from 'node:zlib'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { createVerifier } from '../src/verifier/verifier.js'
import { median, row } from './peers.js'

const ISSUER = 'https://id.example'
const LIST = `${ISSUER}/status-lists/0`
const ENTRIES = 2 ** 20
const ROUNDS = 61
const WARM_UP = 10
const TOKENS = 32
/** Each token of a round is verified so often. */
const REPEATS = 8
const LIMIT = 1.05

const now = Math.floor(Date.now() / 1000)

async function sign (privateKey: CryptoKey, typ: string, claims: object): Promise<string> {
  return await new SignJWT({ iss: ISSUER, iat: now, exp: now + 3600, ...claims }).setProtectedHeader({ alg: 'RS256', typ, kid: 'key' }).sign(privateKey)
}

/** Tokens as Signet issues them, each for itself. */
async function tokens (privateKey: CryptoKey, more: (index: number) => object): Promise<string[]> {
  const texts = () => Object.fromEntries(['sub', 'sid', 'jti'].map(name => [name, crypto.randomUUID()]))
  return await Promise.all(Array.from({ length: TOKENS }, async (_, index) =>
    await sign(privateKey, 'at+jwt', { aud: 'signet', client_id: 'signet', auth_time: now, ...texts(), ...more(index) })))
}

/** An authority without a network: its keys, and one list of a million log-ins of which every thousandth is closed. */
async function authority (): Promise<{ privateKey: CryptoKey, fetch: typeof fetch }> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const jwks = { keys: [{ ...await exportJWK(publicKey), kid: 'key', use: 'sig', alg: 'RS256' }] }
  const bytes = Buffer.alloc(ENTRIES / 8).map((_, place) => place % 125 === 124 ? 128 : 0)
  const list = await sign(privateKey, 'statuslist+jwt', { sub: LIST, ttl: 300, status_list: { bits: 1, lst: deflateSync(bytes).toString('base64url') } })
  return { privateKey, fetch: async uri => String(uri) === LIST ? new Response(list) : Response.json(jwks) }
}

/** Microseconds of this process's CPU, all its threads, for a verification. */
async function costOf (verify: (token: string) => Promise<unknown>, tokens: string[]): Promise<number> {
  const before = process.cpuUsage()
  for (let times = 0; times < REPEATS; times++) await Promise.all(tokens.map(verify))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (REPEATS * tokens.length)
}

/** The median of the ratios of one cost to another, and the costs of that round. */
async function ratio (one: () => Promise<number>, other: () => Promise<number>): Promise<{ ratio: number, one: number, other: number }> {
  const rounds = []
  // The first rounds are for the compiler.
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const costs = [0, 0]
    // Neither is always the first, nor always after itself.
    for (const turn of [0, 1, 1, 0, 1, 0, 0, 1]) costs[turn]! += await (turn === 0 ? one() : other()) / 4
    if (round >= 0) rounds.push({ ratio: costs[0]! / costs[1]!, one: costs[0]!, other: costs[1]! })
  }
  return median(rounds, round => round.ratio)
}

/** Prints the ratio of the costs, which are measured in turns in this one process. */
export async function benchVerifier (): Promise<void> {
  const { privateKey, fetch } = await authority()
  const options = { issuer: ISSUER, audience: 'signet', fetch, onStatusUnavailable: 'refuse' } as const
  const [checking, ignoring] = [createVerifier(options), createVerifier({ ...options, status: 'ignore' })]
  const plain = await tokens(privateKey, () => ({}))
  const listed = await tokens(privateKey, index => ({ status: { status_list: { idx: index * 30_011, uri: LIST } } }))
  const own = await ratio(() => costOf(checking.verify, listed), () => costOf(ignoring.verify, listed))
  const whole = await ratio(() => costOf(checking.verify, listed), () => costOf(checking.verify, plain))
  const note = `${own.one.toFixed(1)} to ${own.other.toFixed(1)} µs of CPU a token; ${whole.ratio.toFixed(2)} of what a token without the claim costs`
  process.stdout.write(row('verifier with a look at the status / without', own.ratio, `<= ${LIMIT}`, own.ratio <= LIMIT, note))
}
