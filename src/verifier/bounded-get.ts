// A GET whose answer comes from the address that was asked, in time, and not without an end; holds no rule of what an answer says.
import { once } from 'node:events'

export interface GetRequest {
  uri: string
  fetch: typeof globalThis.fetch
  /** Seconds. */
  timeout: number
}

/** The text is empty unless the status is 200. */
export interface Answer { status: number, headers: Headers, text: string }

/**
 * The answer, whatever its status. A redirect is an answer: only the address that the service was given speaks for the authority.
 * Throws, saying why, if it has not come whole in time, or is longer than `maxLength` bytes, without reading more than that.
 */
export async function get (request: GetRequest, headers: Record<string, string>, maxLength: number): Promise<Answer> {
  const deadline = AbortSignal.timeout(Math.ceil(request.timeout * 1000))
  // Beside the signal, for not every body that is broken fails by it: one in another coding than it says does not end in Node.js 20.
  return await Promise.race([read(request, headers, maxLength, deadline), expiry(deadline)])
}

/** The text of an answer of status 200. Throws, saying why, if it is of another. */
export function textOf ({ status, text }: Answer, uri: string): string {
  if (status !== 200) throw new Error(`${uri} answered ${status}`)
  return text
}

async function read ({ uri, fetch }: GetRequest, headers: Record<string, string>, maxLength: number, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(uri, { redirect: 'manual', headers, signal })
  if (response.status === 200) return { status: 200, headers: response.headers, text: await readText(response, uri, maxLength) }
  // A body that nobody reads would hold its connection.
  await response.body?.cancel()
  return { status: response.status, headers: response.headers, text: '' }
}

async function readText (response: Response, uri: string, maxLength: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxLength) throw new Error(`${uri} is longer than ${maxLength} bytes`)
  }
  return Buffer.concat(chunks).toString()
}

async function expiry (deadline: AbortSignal): Promise<never> {
  await once(deadline, 'abort')
  throw deadline.reason
}
