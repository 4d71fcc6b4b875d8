// What mails there are, what may stand in each, and how a template becomes one; holds no text, no address and no way to send.

/** What is filled in: where this is, its account page, a link to it and until when that is good, or when something happened and from where. */
export type Hole = 'issuer' | 'account' | 'link' | 'until' | 'at' | 'ip' | 'device'

const ANY = ['issuer', 'account'] as const
const LINK = [...ANY, 'link', 'until'] as const
const NOTICE = [...ANY, 'at', 'ip', 'device'] as const

/** Every mail by its name, which is that of its template, and what may stand in it. docs/mail.md says when each is sent. */
export const LETTERS = {
  'verify-email': LINK,
  'reset-password': LINK,
  'change-email': LINK,
  'already-registered': LINK,
  'new-device': NOTICE,
  'password-changed': NOTICE,
  'email-changed': NOTICE,
  'factor-added': NOTICE,
  'factor-removed': NOTICE,
  'recovery-codes-made': NOTICE,
  'recovery-code-used': NOTICE,
  'refresh-reused': NOTICE,
} as const satisfies Record<string, readonly Hole[]>

export type LetterKind = keyof typeof LETTERS
export const LETTER_KINDS = Object.keys(LETTERS) as LetterKind[]

export type Values = Partial<Record<Hole, string>>

/** A mail, but for who gets it. */
export interface Letter { subject: string, text: string, html: string }

/** The same with holes in it. */
export type Template = Letter

/** Who writes: an address, with a name before it or without. */
export interface Sender { name: string, address: string }

/** Who writes, as `id@example.com` or `Example <id@example.com>` says; undefined where it says nobody. */
export function readSender (text: string): Sender | undefined {
  const [, name = '', address = text] = /^"?([^<>"]*?)"?\s*<([^<>]+)>$/.exec(text) ?? []
  return /^[^\s@<>,;:"()]+@[^\s@<>,;:"()]+$/.test(address) ? { name: name.trim(), address } : undefined
}

/** How it is sent. Rejects with `LetterRefused` where another try would be no better, and with anything else where it might. */
export type SendLetter = (to: string, letter: Letter) => Promise<void>

/** The mail server will not have this mail. */
export class LetterRefused extends Error {}

/** A template as an operator writes it: the text begins with a line `Subject: …`; without an HTML of its own it has that of the layout, whose `{{content}}` is made of the text. */
export interface Source { text: string, html: string | undefined, layout: string }

const HOLE = /\{\{(.*?)\}\}/g
const LINKED = ['link', 'account']

/** The template of a kind. Throws a sentence about what is wrong with it, which begins with the part that it is of. */
export function readTemplate (kind: LetterKind, source: Source): Template {
  const [, subject, text] = /^Subject: ([^\r\n]+)\r?\n\r?\n([^]+)$/.exec(source.text) ?? []
  if (subject === undefined || text === undefined) throw new Error('The text must begin with a line `Subject: …` and an empty one.')
  const html = source.html ?? fill(source.layout, { content: toHtml(text), subject: escapeHtml(subject) })
  const known: readonly string[] = LETTERS[kind]
  for (const [part, content] of [['text', `${subject} ${text}`], ['HTML', html]] as const) {
    const holes = holesOf(content)
    const stranger = holes.find(hole => !known.includes(hole))
    if (stranger !== undefined) throw new Error(`The ${part} has {{${stranger}}}, which is none of ${known.map(hole => `{{${hole}}}`).join(', ')}.`)
    if (content.replace(HOLE, '').includes('{{')) throw new Error(`The ${part} has {{ without its }} in the same line.`)
    if (known.includes('link') && !holes.includes('link')) throw new Error(`The ${part} lacks {{link}}.`)
  }
  return { subject, text: text.replaceAll('\r\n', '\n'), html }
}

/** The mail of a template. What is filled in is text of one line and nothing else, whatever it looks like. */
export function fillTemplate ({ subject, text, html }: Template, values: Values): Letter {
  const lines = Object.fromEntries(Object.entries(values).map(([hole, value]) => [hole, inOneLine(value)]))
  const escaped = Object.fromEntries(Object.entries(lines).map(([hole, line]) => [hole, escapeHtml(line)]))
  return { subject: fill(subject, lines), text: fill(text, lines), html: fill(html, escaped) }
}

/** An instant as a mail says it, in milliseconds. */
export function sayInstant (at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function holesOf (text: string): string[] {
  return [...text.matchAll(HOLE)].map(([, hole]) => hole!)
}

function fill (text: string, values: Record<string, string>): string {
  return text.replace(HOLE, (whole, hole: string) => Object.hasOwn(values, hole) ? values[hole]! : whole)
}

function inOneLine (value: string): string {
  return value.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
}

function toHtml (text: string): string {
  const paragraphs = text.trim().split(/(?:\r?\n){2,}/)
  return paragraphs.map(paragraph => `<p>${escapeHtml(paragraph).replace(HOLE, (whole, hole: string) => LINKED.includes(hole) ? `<a href="${whole}">${whole}</a>` : whole).replaceAll(/\r?\n/g, '<br>\n')}</p>`).join('\n')
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml (text: string): string {
  return text.replace(/[&<>"']/g, letter => ENTITIES[letter]!)
}
