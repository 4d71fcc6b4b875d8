// How Signet logs: one JSON object a line, and never a secret; holds no event.
import type { FastifyServerOptions } from 'fastify'
import { replaceJwts } from './core/access-token.js'
import { DEVICE_TOKEN_SHAPE } from './core/device-token.js'
import { REFRESH_TOKEN_SHAPE } from './core/refresh-token.js'

const SECRET_PATHS = ['password', 'current_password', 'new_password', 'refresh_token', 'device_token', 'access_token', 'authorization', 'cookie']
const REDACTED = '[redacted]'

/** Where lines go. */
export interface LogSink { write: (line: string) => void }

/** Logger options that redact by path and, whatever wrote the line, by the shape of our tokens. */
export function loggerOptions (level: string, sink: LogSink): Extract<FastifyServerOptions['logger'], object> {
  return {
    level,
    redact: { paths: SECRET_PATHS.flatMap(path => [path, `*.${path}`, `*.*.${path}`]), censor: REDACTED },
    stream: { write: (line: string) => { sink.write(redactTokens(line)) } },
  }
}

/** The line with everything of a token's shape taken out. */
export function redactTokens (line: string): string {
  return replaceJwts(line, REDACTED).replace(REFRESH_TOKEN_SHAPE, REDACTED).replace(DEVICE_TOKEN_SHAPE, REDACTED)
}

/** Lets the process outlive whoever reads what it says, and a disk that takes no more of it. */
export function outliveReaders (streams: NodeJS.WritableStream[]): void {
  for (const stream of streams) stream.on('error', () => {})
}
