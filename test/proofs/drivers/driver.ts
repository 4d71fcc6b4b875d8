// What tests and proofs do in a browser, whichever it is; holds no protocol.

export type BrowserName = 'chromium' | 'firefox' | 'webkit'

/** A browser program that runs. */
export interface Driver {
  /** A browser as one person has it, with cookies of its own; it takes certificates that nobody has signed. One at a time. */
  openSession: () => Promise<Session>
  close: () => Promise<void>
}

export interface Session {
  /** A page that a person looks at, beside the others. */
  openTab: () => Promise<Tab>
  close: () => Promise<void>
}

export interface Tab {
  /** Loads an address, or the same once more. */
  goTo: (url: string) => Promise<void>
  back: () => Promise<void>
  /** Types into the field that `selector` finds, in the place of what is in it. */
  fill: (selector: string, text: string) => Promise<void>
  click: (selector: string) => Promise<void>
  /** What an expression of JavaScript comes to in the page, or the promise that it is; it must be possible as JSON. */
  evaluate: <T>(expression: string) => Promise<T>
  close: () => Promise<void>
}

const PAUSE_MS = 50

/** Asks until the answer is anything but false, nothing or an error. Throws when that has taken too long, with what the page shows. `patience` in milliseconds. */
export async function until<T> (tab: Tab, expression: string, patience = 60_000): Promise<T> {
  const end = performance.now() + patience
  for (;;) {
    // A page that is being left answers nothing.
    const answer = await tab.evaluate<T>(expression).catch(() => undefined)
    if (answer) return answer
    if (performance.now() > end) throw new Error(`It did not come true: ${expression}. The page shows: ${await tab.evaluate<string>('document.body.innerText').catch(String)}`)
    await new Promise(resolve => { setTimeout(resolve, PAUSE_MS) })
  }
}

/** An expression that comes to the JSON of what `expression` does, now or later. */
export function toJson (expression: string): string {
  return `Promise.resolve(${expression}).then(value => JSON.stringify(value) ?? 'null')`
}
