// What callers ask for about second factors, and what a log-in goes on with; knows neither Fastify nor the store.
import { named, Type, type Static } from '../../schema.js'
import { AuthError } from '../../errors.js'
import type { Brought } from '../../services/factor-proofs.js'
import { Code, EXAMPLE_PASSWORDS, Password } from './dto.js'
import { RefreshTokenIn } from './requests.js'
import { AuthenticationAnswerDTO } from './webauthn-dto.js'

const strict = { additionalProperties: false }
const TICKET_MAX_LENGTH = 2_000

export const Ticket = (description: string) => Type.String({ maxLength: TICKET_MAX_LENGTH, description, examples: ['eyJhbGciOiJkaXIifQ..c2VhbGVk'] })
export const CloseOthers = () => Type.Optional(Type.Boolean({ description: 'whether every other device is logged out', examples: [false] }))

/** What proves that the caller is the user, unless the log-in is fresh. */
export const PROOF = {
  current_password: Type.Optional(Password('the password of the account, unless the log-in is not older than ten minutes', EXAMPLE_PASSWORDS.old)),
  code: Type.Optional(Code()),
}

export const ProofRequest = Type.Object(PROOF, { $id: 'ProofRequest', ...strict })
export type ProofRequest = Static<typeof ProofRequest>

export const RemoveFactorRequest = Type.Object({ ...PROOF, close_others: CloseOthers() }, { $id: 'RemoveFactorRequest', ...strict })
export type RemoveFactorRequest = Static<typeof RemoveFactorRequest>

export const ConfirmTotpRequest = Type.Object({ ticket: Ticket('of the offer'), code: Code('that the app shows'), close_others: CloseOthers(), refresh_token_in: RefreshTokenIn() }, { $id: 'ConfirmTotpRequest', ...strict })
export type ConfirmTotpRequest = Static<typeof ConfirmTotpRequest>

/** What a second factor is brought in: one of these. */
export const BROUGHT = {
  code: Type.Optional(Code('that the authenticator app shows')),
  recovery_code: Type.Optional(Code('one of the recovery codes; case, dashes and blanks do not matter', '9f3k-2m7q-x8wd-5t1v-h6rc-0bzn')),
  passkey: Type.Optional(named(AuthenticationAnswerDTO)),
}

export const SecondFactorRequest = Type.Object({
  ticket: Ticket('that the refusal of the log-in had'),
  ...BROUGHT,
  refresh_token_in: RefreshTokenIn(),
  device_token: Type.Optional(Type.String({ description: 'as at the log-in' })),
}, { $id: 'SecondFactorRequest', ...strict })
export type SecondFactorRequest = Static<typeof SecondFactorRequest>

/** The one factor that a request brings. Throws `invalid_request` where it brings none, or more than one. */
export function readBrought (request: SecondFactorRequest): Brought {
  const names = (Object.keys(BROUGHT) as Array<keyof Brought>).filter(name => request[name] !== undefined)
  if (names.length !== 1) throw new AuthError('invalid_request', { errors: [{ field: 'body', detail: `It must have one of ${Object.keys(BROUGHT).join(', ')}.` }] })
  return { [names[0]!]: request[names[0]!] }
}
