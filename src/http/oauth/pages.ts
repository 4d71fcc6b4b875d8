// The pages on which a person logs in for a client, lets it in, or is told what went wrong; holds no rule of when one is shown.
import { readFileSync } from 'node:fs'
import type { FastifyReply } from 'fastify'
import { FENCE, FOLDER } from '../public/pages.js'

/** A page is about a person: nobody keeps it. A client may have opened it in a window of its own, to which it must be able to come back. */
const HEADERS = { ...FENCE, 'cross-origin-opener-policy': 'unsafe-none', 'cache-control': 'no-store' }

const NAMES = ['log-in', 'consent', 'go-on', 'log-out', 'told'] as const
type Name = typeof NAMES[number]

/** What stands in a page: texts, which are escaped, and lists of texts. */
export type Values = Record<string, string | string[]>

export class Pages {
  readonly #templates: Map<Name, string>

  constructor () {
    this.#templates = new Map(NAMES.map(name => [name, readFileSync(`${FOLDER}oauth/${name}.html`, 'utf8')]))
  }

  /** Answers with a page. */
  send (reply: FastifyReply, name: Name, values: Values, status = 200): FastifyReply {
    return reply.code(status).headers(HEADERS).type('text/html; charset=utf-8').send(fill(this.#templates.get(name)!, values))
  }
}

/** The template with `{{name}}` replaced by a text, and `{{#name}}…{{/name}}` once for each of a list, or not at all for an empty text; in it `{{.}}` is the text. */
export function fill (template: string, values: Values): string {
  const blocks = template.replace(/\{\{#(\w+)\}\}([\s\S]*?)\{\{\/\1\}\}/g, (_, name: string, block: string) =>
    [values[name] ?? []].flat().filter(Boolean).map(text => block.replaceAll('{{.}}', escape(text))).join(''))
  return blocks.replace(/\{\{(\w+)\}\}/g, (_, name: string) => escape(String(values[name] ?? '')))
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape (text: string): string {
  return text.replace(/[&<>"']/g, letter => ENTITIES[letter]!)
}
