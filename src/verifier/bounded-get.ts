// A GET whose answer comes from the address that was asked, in time, and not without an end; holds no rule of what an answer says.

export interface GetRequest {
  uri: string
  fetch: typeof globalThis.fetch
  /** Seconds. */
  timeout: number
}

/** The answer, whatever its status. A redirect is an answer: only the address that the service was given speaks for the authority. */
export async function get ({ uri, fetch, timeout }: GetRequest, headers: Record<string, string>): Promise<Response> {
  return await fetch(uri, { redirect: 'manual', headers, signal: AbortSignal.timeout(Math.ceil(timeout * 1000)) })
}

/** The text of an answer of status 200. Throws, saying why, if it is of another or longer than `maxLength` bytes, without reading more than that. */
export async function readText (response: Response, uri: string, maxLength: number): Promise<string> {
  if (response.status !== 200) throw new Error(`${uri} answered ${response.status}`)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxLength) throw new Error(`${uri} is longer than ${maxLength} bytes`)
  }
  return Buffer.concat(chunks).toString()
}
