// The pages as texts with gaps, and how these are filled; holds no page and no value.
import { readFileSync } from 'node:fs'
import { FOLDER } from './pages.js'

/** What stands in a page: texts, which are escaped, and lists of texts. */
export type Values = Record<string, string | string[]>

/** The template of a page, by its path in the folder of the pages, with `{{>name}}` replaced by what pages have in common: a template of the folder of parts. */
export function readTemplate (path: string): string {
  return readFileSync(`${FOLDER}${path}.html`, 'utf8').trimEnd().replace(/\{\{>([\w-]+)\}\}/g, (_, part: string) => readTemplate(`parts/${part}`))
}

/**
 * The template with `{{name}}` replaced by a text, and `{{#name}}…{{/name}}` once for each of a list, in which `{{.}}` is the text; for a text once, or where it is empty not at all.
 * What is filled in is text and nothing else, whatever it looks like.
 */
export function fill (template: string, values: Values): string {
  return template.replace(/\{\{#(\w+)\}\}([\s\S]*?)\{\{\/\1\}\}|\{\{(\w+|\.)\}\}/g, (_, list: string | undefined, block: string, name: string) =>
    list === undefined ? escape(String(values[name] ?? '')) : [values[list] ?? []].flat().filter(Boolean).map(text => fill(block, { ...values, '.': text })).join(''))
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape (text: string): string {
  return text.replace(/[&<>"']/g, letter => ENTITIES[letter]!)
}
