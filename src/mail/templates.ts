// Reads what mails say: the templates beside this file, and in their stead those of an operator's folder; holds no text and sends nothing.
import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LETTER_KINDS, readTemplate, type LetterKind, type Template } from '../core/letters.js'
import { inWords } from '../faults.js'
import { SOURCES } from '../places.js'

const OURS = fileURLToPath(new URL('mail/templates/', SOURCES))
const LAYOUT = 'layout.html'

export type Templates = Record<LetterKind, Template>

/** The templates of a language, each file from the operator's folder where that has it; '' is no folder. Throws a sentence about a file that is missing or wrong, or has a name that nothing reads. */
export function readTemplates (folder: string, language: string): Templates {
  const folders = folder === '' ? [OURS] : [folder, OURS]
  if (folder !== '') refuseStrangers(folder, language)
  const read = (name: string) => {
    const path = folders.map(folder => join(folder, name)).find(isThere)
    return path === undefined ? undefined : { path, content: reading(path, () => readFileSync(path, 'utf8')) }
  }
  const layout = read(LAYOUT)!.content
  const entries = LETTER_KINDS.map(kind => {
    const [text, html] = [read(`${language}/${kind}.txt`), read(`${language}/${kind}.html`)]
    if (!text) throw new Error(`There is no ${language}/${kind}.txt: MAIL_LANGUAGE is en or de, or one of which MAIL_TEMPLATES has every text.`)
    try {
      return [kind, readTemplate(kind, { text: text.content, html: html?.content, layout })] as const
    } catch (cause) {
      throw new Error(`The template ${html?.path ?? text.path} cannot be used. ${(cause as Error).message}`, { cause })
    }
  })
  return Object.fromEntries(entries) as Templates
}

// Whoever replaces a text is told where its name is mistyped, for else the other one would be sent.
function refuseStrangers (folder: string, language: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`The setting MAIL_TEMPLATES names no folder: ${folder}.`)
  const within = join(folder, language)
  const names = isThere(within) ? reading(within, () => readdirSync(within)) : []
  const stranger = names.find(name => !LETTER_KINDS.some(kind => [`${kind}.txt`, `${kind}.html`].includes(name)))
  if (stranger !== undefined) throw new Error(`The template ${join(within, stranger)} has a name that is no mail's: those are ${LETTER_KINDS.join(', ')}, with .txt or .html.`)
}

// A link that leads nowhere is there, too, for whoever made it does not want ours.
function isThere (path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function reading<Content> (path: string, read: () => Content): Content {
  try {
    return read()
  } catch (cause) {
    throw new Error(`The template ${path} cannot be read: ${inWords(cause)}.`, { cause })
  }
}
