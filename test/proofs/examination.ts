// One verifier under examination: what it says of a token is compared with what is right; holds no token.
import type { Ingredients } from './bad-tokens.js'
import type { StatusFront } from './status-front.js'
import type { VerifierProcess } from './verifier-process.js'

/** How many tokens it was shown, and what it did `wrong`, in sentences. */
export interface Record { checked: number, wrong: string[] }

/** What an examination works with: the verifier asks `front` for keys and lists, which Signet's own key, `keyId`, signs. */
export interface Parts {
  examination: Examination
  front: StatusFront
  tokens: Ingredients
  issuer: string
  keyId: string
}

export class Examination {
  readonly #verifier: VerifierProcess
  readonly #subject: string
  readonly #record: Record

  /** `subject` is whose all good tokens are. */
  constructor (verifier: VerifierProcess, subject: string, record: Record) {
    this.#verifier = verifier
    this.#subject = subject
    this.#record = record
  }

  async accept (what: string, token: string): Promise<void> {
    const answer = await this.#ask(what, token)
    if (answer !== `accepted ${this.#subject}`) this.#record.wrong.push(`did not accept ${what}: ${answer}`)
  }

  async refuse (what: string, token: string): Promise<void> {
    const answer = await this.#ask(what, token)
    if (!answer.startsWith('refused')) this.#record.wrong.push(`did not refuse ${what}: ${answer}`)
  }

  /** What the verifier has said beside its answers. */
  get said (): string {
    return this.#verifier.said
  }

  blame (wrong: string): void {
    this.#record.wrong.push(wrong)
  }

  async #ask (what: string, token: string): Promise<string> {
    const answer = await this.#verifier.ask(what, token)
    this.#record.checked++
    return answer
  }
}
