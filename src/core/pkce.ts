// Proof Key for Code Exchange (RFC 7636), by S256 alone; holds no code.
import { hash } from 'node:crypto'

/** A SHA-256 in base64url (section 4.2), whose last two bits are none. */
const CHALLENGE = /^[\w-]{42}[AEIMQUYcgkosw048]$/
/** Section 4.1. */
const VERIFIER = /^[\w.~-]{43,128}$/

export function isChallenge (text: string): boolean {
  return CHALLENGE.test(text)
}

/** Whether this verifier was made before the challenge that stands (section 4.6). */
export function isVerifierOf (challenge: string, verifier: string): boolean {
  return VERIFIER.test(verifier) && hash('sha256', verifier, 'base64url') === challenge
}
