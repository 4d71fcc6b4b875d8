// The spellings of a token that lenient decoders take for the token; holds no decoder.

/** What decodes to the same bytes, by what is other about it: each part has one spelling (RFC 7515, section 2). */
export function otherSpellings (token: string): Record<string, string> {
  const parts = token.split('.')
  const spellings = parts.flatMap((part, index) => Object.entries(spellingsOf(part)).map(([name, spelling]) => [`${name} in part ${index}`, parts.with(index, spelling).join('.')]))
  return { ...Object.fromEntries(spellings), 'a line after it': `${token}\n`, 'a blank before it': ` ${token}`, 'an empty fourth part': `${token}.` }
}

function spellingsOf (part: string): Record<string, string> {
  const middle = part.length / 2 | 0
  const put = (text: string, at = middle) => part.slice(0, at) + text + part.slice(at)
  const standard = part.replaceAll('-', '+').replaceAll('_', '/')
  return {
    padding: `${part}${'='.repeat((4 - part.length % 4) % 4 || 1)}`,
    'two equals signs': `${part}==`,
    'a tilde': put('~'),
    'a tilde at the end': put('~', part.length),
    'a tab': put('\t'),
    'a blank': put(' '),
    'a line': put('\n'),
    'a line at the end': put('\n', part.length),
    ...(standard !== part && { 'the other alphabet': standard }),
    ...(part.length % 4 > 1 && { 'spare bits': `${part.slice(0, -1)}${nextLetter(part.at(-1)!)}` }),
  }
}

/** The letter of the next value: in the last place of a part that is no multiple of four, it differs in bits that say nothing. */
function nextLetter (letter: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(letter) + 1]!
}
