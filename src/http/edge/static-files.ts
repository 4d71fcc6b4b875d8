// Files that are read once and served from memory: no request opens one, and what a client does not take waits in pieces; holds no route and no file's meaning.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** What a browser is sent: the bytes, their type, and their entity tag. */
export interface StaticFile { body: Buffer, type: string, etag: string }

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
}

/** Encrypted or not, this much of an answer is copied for a connection at a time. */
const PIECE = 64 * 1024

/** The files of `folder` by name, of the extensions that are wanted. */
export function readStaticFiles (folder: string, extensions: string[]): Map<string, StaticFile> {
  const names = readdirSync(folder).filter(name => extensions.includes(extname(name)))
  return new Map(names.map(name => [name, staticFile(readFileSync(join(folder, name)), extname(name))]))
}

/** A file whose text is made here. */
export function staticFile (content: Buffer | string, extension: string): StaticFile {
  const body = Buffer.from(content)
  return { body, type: TYPES[extension]!, etag: `"${createHash('sha256').update(body).digest('base64url')}"` }
}

/** Answers with the file, or with 304 where the client has it (RFC 9110, sections 13.1.2 and 15.4.5). */
export function sendStatic (request: FastifyRequest, reply: FastifyReply, { body, type, etag }: StaticFile): FastifyReply {
  reply.header('etag', etag)
  if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send()
  reply.type(type)
  if (body.length <= PIECE) return reply.send(body)
  return reply.header('content-length', body.length).send(Readable.from(piecesOf(body), { objectMode: false }))
}

function isKnown (ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some(tag => ['*', etag, `W/${etag}`].includes(tag.trim()))
}

function * piecesOf (body: Buffer): Generator<Buffer> {
  for (let from = 0; from < body.length; from += PIECE) yield body.subarray(from, from + PIECE)
}
