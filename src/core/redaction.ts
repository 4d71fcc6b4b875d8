// Takes our tokens out of a text by their shape, whoever wrote it; holds no log.
import { replaceJwts } from './access-token.js'
import { DEVICE_TOKEN_SHAPE } from './device-token.js'
import { LINK_TOKEN_SHAPE } from './link-token.js'
import { REFRESH_TOKEN_SHAPE } from './refresh-token.js'

export const REDACTED = '[redacted]'

/** The text with everything of a token's shape taken out. */
export function redactTokens (text: string): string {
  return replaceJwts(text.replace(LINK_TOKEN_SHAPE, REDACTED), REDACTED).replace(REFRESH_TOKEN_SHAPE, REDACTED).replace(DEVICE_TOKEN_SHAPE, REDACTED)
}
