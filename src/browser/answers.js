// What the pages make of an answer that is none: every fault as the error that a person can be told; holds no request.
import { SignetError } from './client.js'

/** After so many milliseconds no answer is awaited any more. */
export const ANSWER_MS = 15_000

/** @param {unknown} error */
export function toSignetError (error) {
  if (error instanceof SignetError) return error
  if (error instanceof SyntaxError) return unexpected()
  return new SignetError({ code: 'unreachable', detail: 'Signet cannot be reached. Check the connection and try again.' })
}

export function unexpected () {
  return new SignetError({ code: 'unexpected', detail: 'Something other than Signet answered. Check the connection and try again.' })
}
