// What leaves the doors of OAuth as JSON, and the forms that they take, as the document shows them; no behaviour.
import { Type } from '../../schema.js'

const text = (description: string, example?: string) => Type.String({ description, ...(example !== undefined && { examples: [example] }) })
const optional = (description: string, example?: string) => Type.Optional(text(description, example))

export const OAuthErrorDTO = Type.Object({
  error: text('a code of RFC 6749, section 5.2, or of the standard that the door is of', 'invalid_grant'),
  error_description: text('a sentence for whoever builds the client', 'The code is not good, or not any more, or not for this client.'),
}, { $id: 'OAuthErrorDTO', additionalProperties: false })

export const ClientTokensDTO = Type.Object({
  access_token: text('a JWT (RFC 9068)', 'eyJ0eXAiOiJhdCtqd3QifQ.eyJzdWIiOiI2ZjFkM2MxZSJ9.c2lnbmF0dXJl'),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ minimum: 1, description: 'seconds', examples: [600] }),
  refresh_token: optional('with the scope offline_access; works once'),
  refresh_token_expires_in: Type.Optional(Type.Integer({ minimum: 0, description: 'seconds, if it stays unused' })),
  id_token: optional('with the scope openid'),
  scope: optional('what the access token is good for', 'openid email'),
}, { $id: 'ClientTokensDTO', additionalProperties: false })

export const IntrospectionDTO = Type.Object({
  active: Type.Boolean({ description: 'whether the token is good now; the rest is said of one that is', examples: [true] }),
  client_id: optional('to which client it was issued'),
  sub: optional('the user, or the client where no user is behind it'),
  scope: optional('what it is good for'),
  roles: Type.Optional(Type.Array(Type.String({ examples: ['admin'] }), { description: 'those that the user has now' })),
  exp: Type.Optional(Type.Integer({ description: 'seconds since the epoch' })),
}, { $id: 'IntrospectionDTO', additionalProperties: true })

export const UserClaimsDTO = Type.Object({
  sub: text('the user', '6f1d3c1e-9b1a-4c58-8c55-2f3a0d9b7e42'),
  name: optional('with the scope profile', 'Ada Lovelace'),
  email: optional('with the scope email', 'ada@example.com'),
  email_verified: Type.Optional(Type.Boolean({ description: 'with the scope email' })),
}, { $id: 'UserClaimsDTO', additionalProperties: false })

export const MetadataDTO = Type.Object({ issuer: text('the issuer, as it is in tokens', 'https://signet.example') }, { $id: 'MetadataDTO', additionalProperties: true })

const CREDENTIALS = {
  client_id: optional('unless the Authorization header names the client'),
  client_secret: optional('of a client that authenticates by client_secret_post'),
  client_assertion_type: optional('of a client that authenticates by private_key_jwt'),
  client_assertion: optional('of a client that authenticates by private_key_jwt'),
}

export const TokenForm = Type.Object({
  grant_type: Type.Unsafe<string>({ type: 'string', enum: ['authorization_code', 'refresh_token', 'client_credentials'], description: 'what the client has', examples: ['client_credentials'] }),
  code: optional('what the authorization endpoint answered'),
  redirect_uri: optional('where it answered to'),
  code_verifier: optional('of the code_challenge (RFC 7636)'),
  refresh_token: optional('the last one'),
  scope: optional('a part of what was granted'),
  resource: optional('for whom the access token is (RFC 8707); may come more than once'),
  ...CREDENTIALS,
}, { $id: 'TokenForm', additionalProperties: true })

export const AccessTokenForm = Type.Object({ access_token: optional('unless the Authorization header brings it (RFC 6750, section 2.2)') }, { $id: 'AccessTokenForm', additionalProperties: true })

export const OneTokenForm = Type.Object({ token: text('an access token or a refresh token', 'AZlx8YOGTYy0'), token_type_hint: optional('means nothing: each token says what it is'), ...CREDENTIALS }, { $id: 'OneTokenForm', additionalProperties: true })
