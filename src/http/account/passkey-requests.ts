// What callers ask for about passkeys, and what they are answered; no behaviour but mapping.
import { named, Type, type Static } from '../../schema.js'
import { normaliseName } from '../../core/credentials.js'
import type { Passkey } from '../../core/factors.js'
import { AuthError } from '../../errors.js'
import type { Added } from '../../services/second-factors.js'
import { AddedFactorDTO, PasskeyDTO, toAddedFactorDTO, toPasskeyDTO } from './factor-dto.js'
import { CloseOthers, Ticket } from './factor-requests.js'
import { RefreshTokenIn } from './requests.js'
import { AuthenticationAnswerDTO, RegistrationAnswerDTO } from './webauthn-dto.js'

const strict = { additionalProperties: false }
const NAME_MAX_LENGTH = 50
const NameOfPasskey = () => Type.String({ minLength: 1, maxLength: NAME_MAX_LENGTH, description: 'what the user calls it', examples: ['Phone'] })

export const PasskeyOptionsRequest = Type.Object({ ticket: Type.Optional(Ticket('of a log-in that was refused with `second_factor_required`: then it is for the passkeys of that user')) }, { $id: 'PasskeyOptionsRequest', ...strict })
export type PasskeyOptionsRequest = Static<typeof PasskeyOptionsRequest>

export const PasskeyLogInRequest = Type.Object({
  passkey: named(AuthenticationAnswerDTO),
  refresh_token_in: RefreshTokenIn(),
  device_token: Type.Optional(Type.String({ description: 'as at the log-in by a password' })),
}, { $id: 'PasskeyLogInRequest', ...strict })
export type PasskeyLogInRequest = Static<typeof PasskeyLogInRequest>

export const AddPasskeyRequest = Type.Object({ passkey: named(RegistrationAnswerDTO), name: NameOfPasskey(), close_others: CloseOthers(), refresh_token_in: RefreshTokenIn() }, { $id: 'AddPasskeyRequest', ...strict })
export type AddPasskeyRequest = Static<typeof AddPasskeyRequest>

export const RenamePasskeyRequest = Type.Object({ name: NameOfPasskey() }, { $id: 'RenamePasskeyRequest', ...strict })
export type RenamePasskeyRequest = Static<typeof RenamePasskeyRequest>

export const AddedPasskeyDTO = Type.Object({ passkey: named(PasskeyDTO), ...AddedFactorDTO.properties }, { $id: 'AddedPasskeyDTO', ...strict })
export type AddedPasskeyDTO = Static<typeof AddedPasskeyDTO>

export const PASSKEY_SCHEMAS = [AddPasskeyRequest, AddedPasskeyDTO, PasskeyLogInRequest, PasskeyOptionsRequest, RenamePasskeyRequest]

export function toAddedPasskeyDTO ({ passkey, ...added }: Added & { passkey: Passkey }): AddedPasskeyDTO {
  return { passkey: toPasskeyDTO(passkey), ...toAddedFactorDTO(added) }
}

/** The name in one spelling. Throws `invalid_request` if it cannot be one. */
export function readPasskeyName (name: string): string {
  const normalised = normaliseName(name, NAME_MAX_LENGTH)
  if (normalised !== undefined) return normalised
  throw new AuthError('invalid_request', { errors: [{ field: 'name', detail: `It must have a visible character, at most ${NAME_MAX_LENGTH} in all, and none that breaks the line or changes the direction of the text.` }] })
}
