// Passwords of eight characters and more that are tried first; holds no rule and none of them, for they are data beside it.
// Source: the frequency lists of zxcvbn 4.4.2 (Dropbox, MIT licence) and of @zxcvbn-ts/language-common 4.1.3 (MIT licence).
import { readFileSync } from 'node:fs'
import { SOURCES } from '../places.js'

// Read at once, for later there may be no descriptor left to read it with.
const LIST = readFileSync(new URL('services/common-passwords.txt', SOURCES), 'utf8')

let words: ReadonlySet<string> | undefined

/** Whether it is one of the list, which has lower-case words alone. */
export function isCommonPassword (password: string): boolean {
  words ??= new Set(LIST.trimEnd().split('\n'))
  return words.has(password)
}
