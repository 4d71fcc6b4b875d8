// Files that are read once and served from memory, compressed where the browser takes that; holds no route and no file's meaning.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Both work in threads of Node's, and take some hundredths of a second for a file, once. */
const COMPRESS = { br: promisify(brotliCompress), gzip: promisify(gzip) }
type Encoding = keyof typeof COMPRESS

/** What is sent: the bytes, their type, the digest that their entity tags are made of, and in what they may be compressed, the best first. */
export interface StaticFile { body: Buffer, type: string, digest: string, encodings: Encoding[], compressed: Map<Encoding, Promise<Buffer>> }

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** What fits into a packet is sent as it is. */
const WORTH_COMPRESSING = 1024

/** The files of `folder` by name, of the extensions that are wanted. */
export function readStaticFiles (folder: string, extensions: string[]): Map<string, StaticFile> {
  const names = readdirSync(folder).filter(name => extensions.includes(extname(name)))
  return new Map(names.map(name => [name, staticFile(readFileSync(join(folder, name)), extname(name))]))
}

/** A file whose text is made here. It must hold no secret: how far a text can be compressed tells of what is in it (BREACH). */
export function staticFile (content: Buffer | string, extension: string): StaticFile {
  const body = Buffer.from(content)
  return memoryFile(body, TYPES[extension]!, body.length < WORTH_COMPRESSING ? [] : ['br', 'gzip'])
}

/** The same of any type, in those encodings alone. */
export function memoryFile (body: Buffer, type: string, encodings: Encoding[]): StaticFile {
  return { body, type, digest: createHash('sha256').update(body).digest('base64url'), encodings, compressed: new Map() }
}

/** What is said of a file that is sent as it is. */
export function headersOf ({ digest, type }: StaticFile): Record<string, string> {
  return { etag: `"${digest}"`, vary: 'Accept-Encoding', 'content-type': type }
}

/** Answers with the file in the best encoding that is taken, or with 304 where the client has it (RFC 9110, sections 8.8.3, 12.5.3, 13.1.2 and 15.4.5). */
export async function sendStatic (request: FastifyRequest, reply: FastifyReply, file: StaticFile): Promise<FastifyReply> {
  const encoding = encodingOf(file, request.headers['accept-encoding'])
  // What is encoded otherwise is another representation, with a tag of its own.
  const etag = encoding ? `"${file.digest}-${encoding}"` : `"${file.digest}"`
  reply.headers({ etag, vary: 'Accept-Encoding' })
  if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send()
  reply.type(file.type)
  if (!encoding) return reply.send(file.body)
  return reply.header('content-encoding', encoding).send(await compressed(file, encoding))
}

async function compressed ({ body, compressed }: StaticFile, encoding: Encoding): Promise<Buffer> {
  const made = compressed.get(encoding) ?? COMPRESS[encoding](body)
  compressed.set(encoding, made)
  return await made
}

/** The best encoding that a client says it takes; what it gives no weight it does not. */
function encodingOf ({ encodings }: StaticFile, acceptEncoding = ''): Encoding | undefined {
  const taken = acceptEncoding.toLowerCase().split(',').map(coding => coding.replace(/\s/g, '')).filter(coding => !/;q=0(\.0*)?$/.test(coding)).map(coding => coding.split(';')[0])
  return encodings.find(encoding => taken.includes(encoding))
}

/** Whether a client that sends this If-None-Match has what the tag is of (RFC 9110, section 13.1.2). */
export function isKnown (ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some(tag => ['*', etag, `W/${etag}`].includes(tag.trim()))
}
