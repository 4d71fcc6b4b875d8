// An authority that publishes status lists, and tokens that name them; holds no assertion.
import type { RequestListener } from 'node:http'
import { deflateSync } from 'node:zlib'
import { SignJWT } from 'jose'
import type { Test } from 'tap'
import type { VerifierOptions } from '../../src/verifier/verifier.js'
import { authority } from './authority.js'

export const ENTRIES = 2 ** 20

/** A list in which the entries of these indices are closed. */
export function bytesOf (closed: number[], entries = ENTRIES): Buffer {
  const bytes = Buffer.alloc(Math.ceil(entries / 8))
  for (const index of closed) bytes[index >> 3]! |= 1 << (index & 7)
  return bytes
}

export const pack = (bytes: Uint8Array) => deflateSync(bytes).toString('base64url')

/** The authority of the tests, with one list, of which nothing is closed, and its lists asked for apart from its keys. */
export async function listAuthority (test: Test, options: Partial<VerifierOptions> = {}) {
  const stub = await authority(test, options)
  const uri = `${stub.issuer}/status-lists/0`
  const seconds = () => Math.floor(stub.now / 1000)
  const listClaims = (closed: number[] = []) => ({ iss: stub.issuer, sub: uri, iat: seconds(), exp: seconds() + 300, ttl: 10, status_list: { bits: 1, lst: pack(bytesOf(closed)) } })
  const signList = async (more: object = {}, header: object = {}, key = stub.one) =>
    await new SignJWT({ ...listClaims(), ...more }).setProtectedHeader({ alg: 'RS256', typ: 'statuslist+jwt', kid: key.jwk.kid, ...header }).sign(key.privateKey)
  const send = (body: string | Buffer, headers: Record<string, string> = {}): RequestListener => (_request, response) => { response.writeHead(200, headers).end(body) }
  /** Publishes a list in which these are closed, of the claims and the ETag of a test. */
  const publish = async (closed: number[] = [], more: object = {}, headers: Record<string, string> = {}) => {
    stub.answerList = send(await signList({ ...listClaims(closed), ...more }), headers)
  }
  const tokenAt = async (idx: unknown, more: object = {}) => await stub.sign(undefined, { status: { status_list: { idx, uri } }, ...more })
  const lists = () => stub.asked.filter(path => path.startsWith('/status-lists/'))
  await publish()
  return Object.assign(stub, { uri, signList, send, publish, tokenAt, lists, listClaims })
}
