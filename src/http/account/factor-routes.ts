// The routes of second factors, and of a log-in that takes one; holds no rule of them.
import type { SecondFactors } from '../../services/second-factors.js'
import type { StepUps } from '../../services/step-ups.js'
import type { TokenService } from '../../services/token-service.js'
import { AuthTokenDTO, toAuthTokenDTO } from './dto.js'
import { AddedFactorDTO, RecoveryCodesDTO, SecondFactorsDTO, toAddedFactorDTO, toSecondFactorsDTO, toTotpOfferDTO, TotpOfferDTO } from './factor-dto.js'
import { ConfirmTotpRequest, ProofRequest, readBrought, RemoveFactorRequest, SecondFactorRequest } from './factor-requests.js'
import { deviceTokensOf, readProof } from './requests.js'
import type { Route } from './routes.js'

export interface FactorRouteParts { secondFactors: SecondFactors, stepUps: StepUps, tokens: Pick<TokenService, 'read' | 'readDevices'> }

/** What whoever is asked for a proof may be refused for. */
export const UNPROVED = ['wrong_password', 'wrong_code', 'fresh_log_in_needed', 'busy'] as const

export function factorRoutes ({ secondFactors, stepUps, tokens }: FactorRouteParts): Route[] {
  return [
    {
      operationId: 'logInWithSecondFactor', tag: 'tokens',
      description: 'Takes the ticket of a log-in that was refused with `second_factor_required`, and one of what its `methods` name. Each code works once, and so does the ticket.',
      method: 'POST', url: '/login/second-factor', summary: 'Go on with a log-in by a second factor', guard: 'open', limit: 'login', cookie: 'given',
      body: SecondFactorRequest, status: 200, response: AuthTokenDTO, errors: ['invalid_ticket', 'invalid_second_factor', 'foreign_origin', 'too_many_active_tokens', 'busy'],
      handle: async (_controller, { body, cookieToken, device, deviceTokens, now, overLimit }) => {
        const request = body as SecondFactorRequest
        const devices = tokens.readDevices(deviceTokensOf(request, deviceTokens), now)
        return toAuthTokenDTO(await stepUps.complete(request.ticket, readBrought(request), device, now, { family: tokens.read(cookieToken), devices, overLimit }))
      },
    },
    {
      operationId: 'listSecondFactors', tag: 'accounts',
      description: 'The authenticator app, the passkeys, and how many recovery codes are left.',
      method: 'GET', url: '/second-factors', summary: 'List my second factors', guard: 'bearer', limit: 'address',
      status: 200, response: SecondFactorsDTO, errors: [],
      handle: (_controller, _visit, { user }) => toSecondFactorsDTO(user.factors),
    },
    {
      operationId: 'offerTotp', tag: 'accounts',
      description: 'Answers with a new seed for an authenticator app, of which nothing is kept before it is confirmed. It takes a fresh proof: a log-in of the last ten minutes, or the password; where there is a second factor already, a log-in with it, or a code beside the password.',
      method: 'POST', url: '/second-factors/totp', summary: 'Begin to add an authenticator app', guard: 'enrolling', limit: 'address',
      body: ProofRequest, isBodyOptional: true, status: 200, response: TotpOfferDTO, errors: [...UNPROVED, 'not_supported'],
      handle: async (_controller, { body, device, now }, enroller) => toTotpOfferDTO(await secondFactors.offerTotp(enroller, readProof(body as ProofRequest), device, now)),
    },
    {
      operationId: 'confirmTotp', tag: 'accounts',
      description: 'Takes a code of the app, and adds it, in the place of another that there was. With the first second factor of an account come ten recovery codes, which are shown this once. Where a log-in was waiting for it, its tokens come too.',
      method: 'POST', url: '/second-factors/totp/confirm', summary: 'Add the authenticator app', guard: 'enrolling', limit: 'address',
      body: ConfirmTotpRequest, status: 201, response: AddedFactorDTO, errors: ['wrong_code', 'foreign_origin', 'too_many_active_tokens', 'not_supported'],
      handle: async (_controller, { body, device, now }, enroller) => {
        const { ticket, code, close_others: closesOthers } = body as ConfirmTotpRequest
        return toAddedFactorDTO(await secondFactors.confirmTotp(enroller, { ticket, code, closesOthers }, device, now))
      },
    },
    {
      operationId: 'removeTotp', tag: 'accounts',
      description: 'It takes a fresh proof. With the last second factor go the recovery codes.',
      method: 'DELETE', url: '/second-factors/totp', summary: 'Remove the authenticator app', guard: 'bearer', limit: 'address',
      body: RemoveFactorRequest, isBodyOptional: true, status: 204, errors: [...UNPROVED, 'unknown_factor'],
      handle: async (_controller, { body, device, now }, caller) => {
        const { close_others: closesOthers, ...proof } = body as RemoveFactorRequest
        await secondFactors.removeTotp(caller, { ...readProof(proof), closesOthers }, device, now)
      },
    },
    {
      operationId: 'renewRecoveryCodes', tag: 'accounts',
      description: 'It takes a fresh proof. The codes are shown this once, and those of before are good no more.',
      method: 'POST', url: '/second-factors/recovery-codes', summary: 'Get ten new recovery codes', guard: 'bearer', limit: 'address',
      body: ProofRequest, isBodyOptional: true, status: 200, response: RecoveryCodesDTO, errors: [...UNPROVED, 'unknown_factor'],
      handle: async (_controller, { body, device, now }, caller) => ({ recovery_codes: await secondFactors.renewRecoveryCodes(caller, readProof(body as ProofRequest), device, now) }),
    },
  ]
}
