// How Signet logs: one JSON object a line, and never a secret; holds no event.
import type { FastifyServerOptions } from 'fastify'
import { REDACTED, redactTokens } from './core/redaction.js'

const SECRET_PATHS = ['password', 'current_password', 'new_password', 'refresh_token', 'device_token', 'access_token', 'token', 'authorization', 'cookie']

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

/** Whether a log of a level has lines of another, of these two. */
export function hasLines (level: string, of: 'info' | 'warn'): boolean {
  return ['trace', 'debug', 'info', ...of === 'warn' ? ['warn'] : []].includes(level)
}

/** Lets the process outlive whoever reads what it says, and a disk that takes no more of it. */
export function outliveReaders (streams: NodeJS.WritableStream[]): void {
  for (const stream of streams) stream.on('error', () => {})
}
