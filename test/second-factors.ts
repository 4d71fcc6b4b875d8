// An authenticator app, and a user who has one, for the tests of second factors; holds no assertion.
import type { FastifyInstance } from 'fastify'
import { codeAt, stepAt } from '../src/core/totp.js'
import { EMAIL, PASSWORD, type Pair } from './test-app.js'
import { bearer, login, post, register } from './http/client.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The bytes of a secret as a person types it (RFC 4648, section 6). */
export function seedOf (secret: string): Buffer {
  const bits = [...secret].map(letter => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from(bits.match(/.{8}/g)!.map(byte => parseInt(byte, 2)))
}

/** What an app that holds this secret shows at an instant, in milliseconds; `later` so many steps on. */
export function shown (secret: string, now: number, later = 0): string {
  return codeAt(seedOf(secret), stepAt(now) + later)
}

/** The refusal of a log-in that goes on with a second factor. */
export interface StepUp { ticket: string, expires_in: number, methods: string[], enrol?: true }

export async function stepUp (app: FastifyInstance, email = EMAIL, password = PASSWORD): Promise<StepUp> {
  const answer = await post(app, '/login', { email, password })
  if (answer.statusCode !== 401) throw new Error(answer.body)
  return answer.json<StepUp>()
}

/** A user with an app, added at `now`, and what came of it. The code of that step is used. */
export async function withTotp (app: FastifyInstance, now: number, email = EMAIL): Promise<{ id: string, secret: string, recoveryCodes: string[], pair: Pair }> {
  const id = await register(app, email)
  const pair = await login(app, email)
  const { secret, ticket } = (await post(app, '/second-factors/totp', {}, bearer(pair))).json<{ secret: string, ticket: string }>()
  const answer = await post(app, '/second-factors/totp/confirm', { ticket, code: shown(secret, now) }, bearer(pair))
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return { id, secret, recoveryCodes: answer.json<{ recovery_codes: string[] }>().recovery_codes, pair }
}
