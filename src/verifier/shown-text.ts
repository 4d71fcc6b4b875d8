// How text from a token or a setting is shown in a sentence: printable and bounded, whatever it is; holds no sentence.

/** What RFC 6750, section 3, keeps out of an error_description, and the mark that ends the text. */
const UNPRINTABLE = /[^\x20-\x7e]|["'\\]/gu
const MAX_LENGTH = 100

/** The texts in single quotes, separated by commas, with what cannot be printed escaped as in a URL; cut after 100 characters. */
export function show (texts: string[]): string {
  const shown = texts.map(text => `'${text.replace(UNPRINTABLE, escape)}'`).join(', ')
  return shown.length > MAX_LENGTH ? `${shown.slice(0, MAX_LENGTH)}...` : shown
}

function escape (character: string): string {
  return Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '%$&')
}
