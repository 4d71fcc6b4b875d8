// What leaves of second factors, and of log-ins that take one, as JSON; no behaviour but mapping.
import { named, Type, type Static } from '../../schema.js'
import type { Factors, Passkey } from '../../core/factors.js'
import type { Added, TotpOffer } from '../../services/second-factors.js'
import { AuthTokenDTO, toAuthTokenDTO } from './dto.js'

const strict = { additionalProperties: false }
const Instant = () => Type.String({ format: 'date-time', examples: ['2026-11-26T09:31:00.000Z'] })
const InstantOrNull = () => Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'null where it was not used yet', examples: ['2026-11-26T10:05:00.000Z'] })
const EXAMPLE_CODE = '9f3k-2m7q-x8wd-5t1v-h6rc-0bzn'
const { properties: TOKENS } = AuthTokenDTO
const Codes = () => Type.Array(Type.String({ examples: [EXAMPLE_CODE] }))

export const TotpDTO = Type.Object({ added_at: Instant() }, { $id: 'TotpDTO', ...strict })

export const PasskeyDTO = Type.Object({
  id: Type.String({ description: 'of the credential, in base64url', examples: ['mMaYYvt0nkQ3bXuIPVHY3A'] }),
  name: Type.String({ examples: ['Phone'] }),
  added_at: Instant(),
  last_used_at: InstantOrNull(),
  is_backed_up: Type.Boolean({ description: 'whether it is kept beyond the device, too', examples: [true] }),
}, { $id: 'PasskeyDTO', ...strict })
export type PasskeyDTO = Static<typeof PasskeyDTO>

export const SecondFactorsDTO = Type.Object({
  totp: Type.Union([named(TotpDTO), Type.Null()], { description: 'the authenticator app; null where there is none', examples: [{ added_at: '2026-11-26T09:31:00.000Z' }] }),
  passkeys: Type.Array(named(PasskeyDTO)),
  recovery_codes: Type.Integer({ minimum: 0, description: 'recovery codes that are left', examples: [10] }),
}, { $id: 'SecondFactorsDTO', ...strict })
export type SecondFactorsDTO = Static<typeof SecondFactorsDTO>

export const TotpOfferDTO = Type.Object({
  secret: Type.String({ description: 'for who types it into the app', examples: ['JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'] }),
  uri: Type.String({ description: 'for the picture that the app takes', examples: ['otpauth://totp/signet.example:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=signet.example&algorithm=SHA1&digits=6&period=30'] }),
  ticket: Type.String({ description: 'to confirm it with, within ten minutes', examples: ['eyJhbGciOiJkaXIifQ..c2VhbGVk'] }),
}, { $id: 'TotpOfferDTO', ...strict })
export type TotpOfferDTO = Static<typeof TotpOfferDTO>

export const RecoveryCodesDTO = Type.Object({ recovery_codes: Codes() }, { $id: 'RecoveryCodesDTO', ...strict })
export type RecoveryCodesDTO = Static<typeof RecoveryCodesDTO>

/** With the tokens where a log-in was waiting for it. */
export const AddedFactorDTO = Type.Object({
  recovery_codes: Type.Union([Codes(), Type.Null()], { description: 'shown this once, with the first factor; null with any other', examples: [[EXAMPLE_CODE]] }),
  access_token: Type.Optional(TOKENS.access_token),
  token_type: Type.Optional(TOKENS.token_type),
  expires_in: Type.Optional(TOKENS.expires_in),
  refresh_token: TOKENS.refresh_token,
  device_token: TOKENS.device_token,
  refresh_token_expires_in: Type.Optional(TOKENS.refresh_token_expires_in),
}, { $id: 'AddedFactorDTO', ...strict })
export type AddedFactorDTO = Static<typeof AddedFactorDTO>

export function toSecondFactorsDTO (factors: Factors | undefined): SecondFactorsDTO {
  return {
    totp: factors?.totp ? { added_at: toInstant(factors.totp.addedAt) } : null,
    passkeys: (factors?.passkeys ?? []).map(toPasskeyDTO),
    recovery_codes: factors?.recoveryCodes.length ?? 0,
  }
}

export function toPasskeyDTO ({ id, name, addedAt, lastUsedAt, isBackedUp }: Passkey): PasskeyDTO {
  return { id, name, added_at: toInstant(addedAt), last_used_at: lastUsedAt === null ? null : toInstant(lastUsedAt), is_backed_up: isBackedUp }
}

export function toTotpOfferDTO ({ secret, uri, ticket }: TotpOffer): TotpOfferDTO {
  return { secret, uri, ticket }
}

export function toAddedFactorDTO ({ recoveryCodes, tokens }: Added): AddedFactorDTO {
  return { recovery_codes: recoveryCodes, ...(tokens && toAuthTokenDTO(tokens)) }
}

function toInstant (milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
