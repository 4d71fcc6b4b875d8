// The parameters of a query or a form (application/x-www-form-urlencoded); holds no meaning of one.

/** Each by its name: a name without a value is one that is not there (RFC 6749, section 3.1). `repeated` are those that came more than once. */
export interface Parameters { values: ReadonlyMap<string, string>, lists: ReadonlyMap<string, string[]>, repeated: string[] }

/** What may be named more than once (RFC 8707, section 2). */
const LISTS = ['resource']

export const NO_PARAMETERS: Parameters = { values: new Map(), lists: new Map(), repeated: [] }

/** The parameters of a text, or undefined where it is not one of them: a percent sign without two digits behind it, or bytes that are not UTF-8. */
export function readParameters (text: string): Parameters | undefined {
  const [values, lists, repeated] = [new Map<string, string>(), new Map<string, string[]>(), new Set<string>()]
  for (const pair of text.split('&')) {
    const at = pair.indexOf('=')
    const [name, value] = [decode(at < 0 ? pair : pair.slice(0, at)), decode(at < 0 ? '' : pair.slice(at + 1))]
    if (name === undefined || value === undefined) return undefined
    if (value === '') continue
    if (LISTS.includes(name)) lists.set(name, [...lists.get(name) ?? [], value])
    else if (values.has(name)) repeated.add(name)
    values.set(name, values.get(name) ?? value)
  }
  return { values, lists, repeated: [...repeated] }
}

/** Parameters without repetitions as a query that says the same, but for those `without` which it is. */
export function writeQuery ({ values, lists }: Parameters, ...without: string[]): string {
  const pairs = [...values].flatMap(([name, value]) => (lists.get(name) ?? [value]).map(each => [name, each] as [string, string]))
  return new URLSearchParams(pairs.filter(([name]) => !without.includes(name))).toString()
}

function decode (text: string): string | undefined {
  // Tokens, which are what is long, have nothing to decode.
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
