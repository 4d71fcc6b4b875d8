// Whether an option can be used; holds no default. Each function throws a TypeError naming the option that cannot.

export function assertText (options: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'string' || value === '') throw new TypeError(`The option ${name} must be text.`)
  }
}

// `localhost:3000` is a URL too, of a scheme that nobody speaks.
export function assertUrl (name: string, value: string): void {
  if (!URL.canParse(value) || !/^https?:/i.test(value)) throw new TypeError(`The option ${name} must be an http or https URL.`)
}

export function assertSeconds (options: Record<string, number>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isFinite(value) || value < 0) throw new TypeError(`The option ${name} must be a number of seconds.`)
  }
}

export function assertOneOf (name: string, value: unknown, choices: readonly string[]): void {
  if (!(choices as readonly unknown[]).includes(value)) throw new TypeError(`The option ${name} must be ${choices.map(choice => `'${choice}'`).join(' or ')}.`)
}

/** A function, or left out. */
export function assertFunction (name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`The option ${name} must be a function.`)
}
