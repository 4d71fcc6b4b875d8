// How a file `.env` is read: lines NAME=value in UTF-8, each of which counts or is refused; holds no setting.
import { readFileSync } from 'node:fs'
import { inWords } from './faults.js'

/** A line: blank, a comment, or a name and its value, bare up to a `#`, or in quotes, where it may have lines of its own. */
const LINE = /[^\S\n]*(?:(?:export[^\S\n]+)?([\w.-]+)[^\S\n]*=[^\S\n]*(?:(["'`])((?:(?!\2)[^])*)\2|([^\n#"'`][^\n#]*)?)[^\S\n]*)?(?:#.*)?(?:\n|$)/y

/** The names and values of the file, none where it is not there. Of a name that is given twice the last counts. Throws a sentence if a line of it would be lost. */
export function readEnvFile (path: string): Record<string, string> {
  const text = readText(path).replaceAll(/\r\n?/g, '\n')
  const values: Record<string, string> = {}
  LINE.lastIndex = 0
  while (LINE.lastIndex < text.length) {
    const at = LINE.lastIndex
    const found = LINE.exec(text)
    if (!found) throw new Error(`Line ${text.slice(0, at).split('\n').length} of the file ${path} is not NAME=value: mend it, or begin it with # for a comment.`)
    const [, name, , quoted, bare = ''] = found
    if (name) values[name] = quoted ?? bare.trim()
  }
  return values
}

function readText (path: string): string {
  try {
    // Without the byte order mark with which editors may begin it.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
    if (!text.includes('\0')) return text
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return ''
    if (code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new Error(`The file ${path} cannot be read: ${inWords(cause)}.`, { cause })
  }
  throw new Error(`The file ${path} is not text in UTF-8: save it as that, and not as UTF-16.`)
}
