// Shows a verifier tokens that carry a status, and lists that answer for it, good ones and bad ones; holds no server and no rule of a list.
import { setTimeout as pause } from 'node:timers/promises'
import { tokenOf } from './bad-tokens.js'
import type { Parts } from './examination.js'
import { BAD_LISTS, bitsOf, DRIPS, ENTRIES, invert, rightList, takePen, UNUSUAL_LISTS, type Answer, type ListIngredients, type Write } from './status-lists.js'

/** In one byte, each where the other would be if bits were packed the other way round. */
const CLOSED = 8
const LIVE = 15
const BITS = bitsOf([CLOSED, ENTRIES - 1])
/** Where a bad list says the contrary, it is seen whether it was believed. */
const CONTRARY = invert(BITS)
/** Apart from those of Signet itself, and each for one case: what a verifier remembers of one must not hide another. */
const FIRST_LIST = 1_000
const FIRST_DRIPPING = 2_000

/** A claim of other forms than `{ status_list: { idx, uri } }`, by what is wrong with it. */
function badStatuses (uri: string, issuer: string, attackerUrl: string): Record<string, unknown> {
  const listed = (members: object) => ({ status_list: { idx: LIVE, uri, ...members } })
  const at = (path: string) => listed({ uri: `${issuer}${path}` })
  return {
    'that is null': null,
    'that is text': 'live',
    'that is a number': 0,
    'that is true': true,
    'that is an array': [listed({})],
    'whose list is null': { status_list: null },
    'whose list is text': { status_list: uri },
    'whose list is an array': { status_list: [LIVE, uri] },
    'without an index': listed({ idx: undefined }),
    'whose index is null': listed({ idx: null }),
    'whose index is text': listed({ idx: String(LIVE) }),
    'whose index is true': listed({ idx: true }),
    'whose index is a fraction': listed({ idx: 0.5 }),
    'whose index is negative': listed({ idx: -1 }),
    'without a list': listed({ uri: undefined }),
    'whose list is a number': listed({ uri: FIRST_LIST }),
    "whose list is an attacker's": listed({ uri: `${new URL(attackerUrl).origin}/status-lists/${FIRST_LIST}` }),
    "whose list is an attacker's, with our issuer as the user": listed({ uri: uri.replace(issuer, `${issuer}@${new URL(attackerUrl).host}`) }),
    'whose list is at a host that begins as ours': listed({ uri: uri.replace(issuer, `${issuer}.example`) }),
    'whose list is at our host in capitals': listed({ uri: uri.replace(issuer, issuer.toUpperCase()) }),
    'whose list is no list of ours': at('/.well-known/jwks.json'),
    'whose list has no number': at('/status-lists/'),
    'whose list has a negative number': at('/status-lists/-1'),
    'whose list has a number in other digits': at('/status-lists/\u0663'),
    'whose list has a line break at its end': listed({ uri: `${uri}\n` }),
    'whose list has a query': listed({ uri: `${uri}?time=0` }),
    'whose list has a path beneath it': listed({ uri: `${uri}/0` }),
    'whose list is reached by dots': at(`/status-lists/../status-lists/${FIRST_LIST}`),
  }
}

/** Shows all cases to one verifier, which must know no list yet. */
export async function examineStatuses (parts: Parts): Promise<void> {
  await new StatusCases(parts, FIRST_LIST).examine()
}

/** Shows tokens whose lists come without an end; a verifier that waits for one gives no answer. */
export async function examineDrips (parts: Parts): Promise<void> {
  await new StatusCases(parts, FIRST_DRIPPING).examineDrips()
}

class StatusCases {
  readonly #parts: Parts
  #lists: number

  constructor (parts: Parts, firstList: number) {
    this.#parts = parts
    this.#lists = firstList
  }

  async examine (): Promise<void> {
    const { examination } = this.#parts
    await this.#examineIndices()
    await this.#examineForms()
    await this.#examineUnusualLists()
    const outage = await this.#examineOutage()
    for (const [what, write] of Object.entries(BAD_LISTS)) await this.#examineForgery(what, write)
    await this.#examineRenewals()
    // Long after the fact: what is said comes another way than the answers.
    if (!examination.said.includes(this.#uri(outage))) examination.blame('did not say that it went on without a list')
  }

  /** Each after a list that was right, in which a bit is set: what is known of it counts on. */
  async examineDrips (): Promise<void> {
    const { examination, front } = this.#parts
    const dripping = []
    for (const [where, drips] of Object.entries(DRIPS)) {
      const list = this.#serve(ingredients => rightList(ingredients, BITS, { ttl: 1 }))
      await examination.refuse(`a token that is closed, before its list drips in ${where}`, this.#token(list, CLOSED))
      dripping.push({ list, where, drips })
    }
    await pause(1_100)
    for (const { list, where, drips } of dripping) {
      front.serve(list, { body: '', drips })
      await examination.refuse(`a token that is closed, while its list drips in ${where}`, this.#token(list, CLOSED))
      await examination.accept(`a token that is not closed, while its list drips in ${where}`, this.#token(list, LIVE))
      if (front.requests(list) === 1) examination.blame(`did not ask again for a list whose ttl was over, before it dripped in ${where}`)
    }
  }

  async #examineIndices (): Promise<void> {
    const { examination, front } = this.#parts
    const list = this.#serve(ingredients => rightList(ingredients, BITS, { ttl: 300 }))
    const tokenAt = (idx: number) => this.#token(list, idx)
    await examination.accept('a token that is not closed', tokenAt(LIVE))
    await examination.refuse('a token that is closed', tokenAt(CLOSED))
    await examination.accept('a token with the first index', tokenAt(0))
    await examination.refuse('a token that is closed, with the last index', tokenAt(ENTRIES - 1))
    await examination.refuse('a token with the index after the last', tokenAt(ENTRIES))
    await examination.refuse('a token whose index is one of the list once it is cut to 32 bits', tokenAt(2 ** 32 + LIVE))
    await examination.refuse('a token whose index is the largest that JSON can be trusted with', tokenAt(Number.MAX_SAFE_INTEGER))
    await examination.accept('a token that is not closed, after the others', tokenAt(LIVE))
    if (front.requests(list) > 1) examination.blame('asked for a list again before its ttl was over')
  }

  async #examineForms (): Promise<void> {
    const { examination, front, tokens, issuer } = this.#parts
    const list = this.#serve(ingredients => rightList(ingredients, BITS))
    for (const [what, status] of Object.entries(badStatuses(this.#uri(list), issuer, tokens.attackerUrl))) {
      await examination.refuse(`a token with a status ${what}`, tokenOf(tokens, { status }))
    }
    await examination.accept('a token without a status', tokenOf(tokens, { status: undefined }))
    await examination.accept('a token whose status is empty', tokenOf(tokens, { status: {} }))
    await examination.accept('a token whose status is of another kind', tokenOf(tokens, { status: { another: { uri: tokens.attackerUrl } } }))
    if (front.requests(list) > 0) examination.blame('asked for a list of which no token was')
  }

  async #examineUnusualLists (): Promise<void> {
    const { examination } = this.#parts
    for (const [what, write] of Object.entries(UNUSUAL_LISTS)) {
      const list = this.#serve(ingredients => write(takePen(ingredients, BITS)))
      await examination.refuse(`a token that is closed in a list that ${what}`, this.#token(list, CLOSED))
      await examination.accept(`a token that is not closed in a list that ${what}`, this.#token(list, LIVE))
    }
  }

  /** The number of a list that cannot be had, in spite of which tokens are good. */
  async #examineOutage (): Promise<number> {
    const { examination, front } = this.#parts
    const list = this.#serve(() => ({ status: 503, body: '' }))
    const tries = 5
    for (let round = 0; round < tries; round++) await examination.accept('a token whose list cannot be had', this.#token(list, LIVE))
    if (front.requests(list) === tries) examination.blame('asked for a list that cannot be had for every token')
    return list
  }

  /** A list that nobody may believe, where none is known. */
  async #examineForgery (what: string, write: Write): Promise<void> {
    const list = this.#serve(ingredients => write(takePen(ingredients, CONTRARY)))
    await this.#parts.examination.accept(`a token that is closed only in a list that ${what}`, this.#token(list, LIVE))
  }

  /** What becomes of lists that were right, once they are over; all at once, for it takes as long as they last. */
  async #examineRenewals (): Promise<void> {
    const { examination, front } = this.#parts
    const long = this.#serve(ingredients => rightList(ingredients, BITS, { ttl: 1, exp: Math.floor(ingredients.now / 1000) + 3 }))
    await examination.refuse('a token that is closed in a list that lasts three seconds', this.#token(long, CLOSED))
    const expired = pause(3_100)
    const clean = this.#serve(ingredients => rightList(ingredients, bitsOf([]), { ttl: 1 }))
    await examination.accept('a token that is not closed yet', this.#token(clean, CLOSED))
    const forged = []
    for (const [what, write] of Object.entries(BAD_LISTS)) {
      const list = this.#serve(ingredients => rightList(ingredients, BITS, { ttl: 1 }))
      await examination.refuse(`a token that is closed, before its list is one that ${what}`, this.#token(list, CLOSED))
      await examination.accept(`a token that is not closed, before its list is one that ${what}`, this.#token(list, LIVE))
      forged.push({ list, what, write })
    }
    await Promise.all([expired, pause(1_100)])

    front.serve(long, { status: 503, body: '' })
    await examination.refuse('a token that is closed in the last list, which has expired', this.#token(long, CLOSED))
    front.serve(clean, rightList(this.#ingredients(clean), BITS))
    await examination.refuse('a token that was closed since', this.#token(clean, CLOSED))
    for (const { list, what, write } of forged) {
      const asked = front.requests(list)
      front.serve(list, write(takePen(this.#ingredients(list), CONTRARY)))
      await examination.refuse(`a token that is closed, and live only in a list that ${what}`, this.#token(list, CLOSED))
      await examination.accept(`a token that is not closed, or only in a list that ${what}`, this.#token(list, LIVE))
      if (front.requests(list) === asked) examination.blame(`did not ask again for a list whose ttl was over, before one that ${what}`)
    }
  }

  /** The number of a new list. */
  #serve (write: (ingredients: ListIngredients) => Answer): number {
    const list = this.#lists++
    this.#parts.front.serve(list, write(this.#ingredients(list)))
    return list
  }

  #ingredients (list: number): ListIngredients {
    const { tokens: { privateKey, attackerUrl }, issuer, keyId } = this.#parts
    return { uri: this.#uri(list), issuer, keyId, privateKey, attackerUrl, now: Date.now() }
  }

  #uri (list: number): string {
    return `${this.#parts.issuer}/status-lists/${list}`
  }

  #token (list: number, idx: number): string {
    return tokenOf(this.#parts.tokens, { status: { status_list: { idx, uri: this.#uri(list) } } })
  }
}
