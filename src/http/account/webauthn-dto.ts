// What browsers read and answer of passkeys as JSON, in the names of W3C Web Authentication, Level 3, so that a page hands it on as it is; no behaviour.
import { named, Type } from '../../schema.js'

const strict = { additionalProperties: false }
const Base64url = (description: string, maxLength: number) => Type.String({ pattern: '^[\\w-]*$', maxLength, description, examples: ['AQIDBA'] })
/** Of a credential, which has 1023 bytes at most (section 5.8.3). */
const Id = () => Base64url('of the passkey', 1_364)
const PublicKey = () => Type.Literal('public-key', { examples: ['public-key'] })
const Transports = () => Type.Array(Type.String({ maxLength: 32, examples: ['internal'] }), { maxItems: 10, description: 'how the authenticator is reached' })

/** Beside these members a browser may say more, which means nothing. */
export const RegistrationAnswerDTO = Type.Object({
  id: Id(), rawId: Id(), type: PublicKey(),
  response: Type.Object({ clientDataJSON: Base64url('what the browser says of the page', 4_000), attestationObject: Base64url('the new key', 8_000), transports: Type.Optional(Transports()) }),
}, { $id: 'RegistrationAnswerDTO', description: 'what `navigator.credentials.create` gave, as its `toJSON` writes it' })

export const AuthenticationAnswerDTO = Type.Object({
  id: Id(), rawId: Id(), type: PublicKey(),
  response: Type.Object({
    clientDataJSON: Base64url('what the browser says of the page', 4_000), authenticatorData: Base64url('what the authenticator says of itself', 4_000), signature: Base64url('of both', 1_400),
    userHandle: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], pattern: '^[\\w-]*$', maxLength: 88, description: 'whose it is', examples: ['bx08HpsaTFiMVS86DZt-Qg'] })),
  }),
}, { $id: 'AuthenticationAnswerDTO', description: 'what `navigator.credentials.get` gave, as its `toJSON` writes it' })

export const DescriptorDTO = Type.Object({ type: PublicKey(), id: Id(), transports: Transports() }, { $id: 'DescriptorDTO', ...strict })

const Challenge = () => Base64url('what is to be signed, within five minutes and once', 300)
const TimeOut = () => Type.Integer({ description: 'milliseconds', examples: [300_000] })

export const CreationOptionsDTO = Type.Object({
  rp: Type.Object({ id: Type.String({ examples: ['signet.example'] }), name: Type.String({ examples: ['signet.example'] }) }, strict),
  user: Type.Object({ id: Base64url('what the authenticator keeps of whose it is', 88), name: Type.String({ examples: ['ada@example.com'] }), displayName: Type.String({ examples: ['Ada Lovelace'] }) }, strict),
  challenge: Challenge(),
  pubKeyCredParams: Type.Array(Type.Object({ type: PublicKey(), alg: Type.Integer({ examples: [-7] }) }, strict)),
  timeout: TimeOut(),
  excludeCredentials: Type.Array(named(DescriptorDTO)),
  authenticatorSelection: Type.Object({ residentKey: Type.Literal('required'), requireResidentKey: Type.Literal(true), userVerification: Type.Literal('required') }, strict),
  attestation: Type.Literal('none'),
}, { $id: 'CreationOptionsDTO', description: 'what `PublicKeyCredential.parseCreationOptionsFromJSON` reads', ...strict })

export const RequestOptionsDTO = Type.Object({
  challenge: Challenge(),
  rpId: Type.String({ examples: ['signet.example'] }),
  timeout: TimeOut(),
  allowCredentials: Type.Array(named(DescriptorDTO), { description: 'none: any that the person chooses' }),
  userVerification: Type.Literal('required'),
}, { $id: 'RequestOptionsDTO', description: 'what `PublicKeyCredential.parseRequestOptionsFromJSON` reads', ...strict })

export const WEBAUTHN_SCHEMAS = [AuthenticationAnswerDTO, CreationOptionsDTO, DescriptorDTO, RegistrationAnswerDTO, RequestOptionsDTO]
