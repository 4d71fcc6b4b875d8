// The doors that a client itself asks at: token, revocation, introspection and userinfo; holds no rule of a grant.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Client } from '../../core/client.js'
import type { Parameters } from '../../core/parameters.js'
import { OAuthError } from '../../errors.js'
import type { ClientAuthentication } from '../../services/client-authentication.js'
import type { ClientAnswer, ClientTokens } from '../../services/client-tokens.js'
import type { LimitOptions } from '../edge/rate-limits.js'
import { deviceOf, doorDescription, ref } from '../edge/route.js'
import { AccessTokenForm, ClientTokensDTO, IntrospectionDTO, OAuthErrorDTO, OneTokenForm, TokenForm, UserClaimsDTO } from './dto.js'
import { formOf } from './forms.js'

export interface TokenDoorParts { authentication: ClientAuthentication, tokens: ClientTokens, limits: LimitOptions, clock: () => number }

/** RFC 6750, section 2.1. */
const BEARER = /^bearer +([\w.-]+)$/i

/** Adds them; none of their answers is kept by anybody (RFC 6749, section 5.1). */
export function addTokenDoors (app: FastifyInstance, { authentication, tokens, limits, clock }: TokenDoorParts): void {
  const authenticate = async (request: FastifyRequest, values: Parameters['values'], now: number) => await authentication.authenticate({ authorization: request.headers.authorization, values, address: request.ip }, now)
  const serve = (url: string, description: ReturnType<typeof doorDescription>, answer: (client: Client, parameters: Parameters, request: FastifyRequest, now: number) => Promise<object | undefined>) => {
    app.post(url, { ...limits, schema: description.schema, config: { ...description.config, takesForm: true } }, async (request, reply) => {
      const [parameters, now] = [formOf(request), clock()]
      const client = await authenticate(request, parameters.values, now)
      reply.headers(NOT_KEPT)
      return await answer(client, parameters, request, now) ?? reply.send()
    })
  }
  serve('/token', TOKEN, async (client, parameters, request, now) => toTokenAnswer(await exchange(tokens, client, parameters, request, now)))
  serve('/revoke', REVOCATION, async (client, { values }, _request, now) => {
    await tokens.revoke(client, wanted(values, 'token'), now)
    return undefined
  })
  serve('/introspect', INTROSPECTION, async (client, { values }, _request, now) => {
    if (client.authMethod === 'none') throw new OAuthError('invalid_client', 'Only a client that can prove who it is is told of tokens.')
    return await tokens.introspect(client, wanted(values, 'token'), now)
  })
  const userInfo = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(NOT_KEPT)
    return await tokens.userInfo(bearerOf(request), clock())
  }
  const [byGet, byPost] = [userInfoDescription('getUserClaims'), userInfoDescription('postUserClaims', AccessTokenForm)]
  app.get('/userinfo', { ...limits, exposeHeadRoute: false, ...byGet }, userInfo)
  app.post('/userinfo', { ...limits, schema: byPost.schema, config: { ...byPost.config, takesForm: true } }, userInfo)
}

const REFUSED = { refusal: OAuthErrorDTO, statuses: [400, 401, 429, 503] }
const TOKEN = doorDescription({
  operationId: 'getTokens', tag: 'clients', summary: 'Exchange a code or a refresh token, or be given a token of its own', description: 'RFC 6749, section 3.2. A code and a refresh token work once.',
}, { form: TokenForm, answer: ref(ClientTokensDTO), ...REFUSED })
const REVOCATION = doorDescription({
  operationId: 'revokeToken', tag: 'clients', summary: 'End what a token is of', description: 'RFC 7009. It closes the family of a token that was issued to the client, and says the same of what is no token.',
}, { form: OneTokenForm, answer: { type: 'null' }, ...REFUSED })
const INTROSPECTION = doorDescription({
  operationId: 'introspectToken', tag: 'clients', summary: 'What a token is worth now', description: 'RFC 7662. A client that can prove who it is is told of tokens that were issued to it, or that are for one of its audiences.',
}, { form: OneTokenForm, answer: ref(IntrospectionDTO), ...REFUSED })
const NOT_KEPT = { 'cache-control': 'no-store', pragma: 'no-cache' }

async function exchange (tokens: ClientTokens, client: Client, { values, lists }: Parameters, request: FastifyRequest, now: number): Promise<ClientAnswer> {
  const wish = { scope: values.get('scope'), resources: lists.get('resource') }
  switch (wanted(values, 'grant_type')) {
    case 'authorization_code': return await tokens.redeem(client, { code: wanted(values, 'code'), redirectUri: values.get('redirect_uri'), verifier: values.get('code_verifier'), resources: wish.resources }, now)
    case 'refresh_token': return await tokens.refresh(client, wanted(values, 'refresh_token'), wish, deviceOf(request), now)
    case 'client_credentials': return await tokens.own(client, wish, now)
    default: throw new OAuthError('unsupported_grant_type', 'The grant types are authorization_code, refresh_token and client_credentials.')
  }
}

function wanted (values: Parameters['values'], name: string): string {
  const value = values.get(name)
  if (value === undefined) throw new OAuthError('invalid_request', `The parameter ${name} is missing.`)
  return value
}

function toTokenAnswer ({ accessToken, expiresIn, idToken, refreshToken, refreshTokenExpiresIn, scope }: ClientAnswer): object {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn,
    ...(refreshToken !== undefined && { refresh_token: refreshToken, refresh_token_expires_in: refreshTokenExpiresIn }),
    ...(idToken !== undefined && { id_token: idToken }),
    ...(scope && { scope }),
  }
}

function userInfoDescription (operationId: string, form?: typeof AccessTokenForm): ReturnType<typeof doorDescription> {
  const operation = { operationId, tag: 'clients', summary: 'What a client may know of its user', description: 'OpenID Connect Core 1.0, section 5.3. It takes an access token with the scope openid.' } as const
  return doorDescription(operation, { answer: ref(UserClaimsDTO), refusal: OAuthErrorDTO, statuses: [400, 401, 403, 429, 503], ...(form && { form }) })
}

/** The access token, by the header or in the form (RFC 6750, sections 2.1 and 2.2). */
function bearerOf (request: FastifyRequest): string {
  const inForm = formOf(request).values.get('access_token')
  const inHeader = BEARER.exec(request.headers.authorization ?? '')?.[1]
  if (inForm !== undefined && request.headers.authorization !== undefined) throw new OAuthError('invalid_request', 'The access token came twice.')
  const token = inHeader ?? inForm
  if (token === undefined) throw new OAuthError('invalid_token', 'An access token is needed.')
  return token
}
