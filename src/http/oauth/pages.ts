// The pages on which a person logs in for a client, lets it in, or is told what went wrong; holds no rule of when one is shown.
import type { FastifyReply } from 'fastify'
import { FENCE } from '../public/pages.js'
import { fill, readTemplate, type Values } from '../public/templates.js'

/** A page is about a person: nobody keeps it. A client may have opened it in a window of its own, to which it must be able to come back. */
const HEADERS = { ...FENCE, 'cross-origin-opener-policy': 'unsafe-none', 'cache-control': 'no-store' }

const NAMES = ['log-in', 'consent', 'go-on', 'log-out', 'told'] as const
type Name = typeof NAMES[number]

export class Pages {
  readonly #templates: Map<Name, string>
  readonly #common: Values

  /** `common` is what every page may name. */
  constructor (common: Values) {
    this.#templates = new Map(NAMES.map(name => [name, readTemplate(`oauth/${name}`)]))
    this.#common = common
  }

  /** Answers with a page. */
  send (reply: FastifyReply, name: Name, values: Values, status = 200): FastifyReply {
    return reply.code(status).headers(HEADERS).type('text/html; charset=utf-8').send(fill(this.#templates.get(name)!, { ...this.#common, ...values }))
  }
}
