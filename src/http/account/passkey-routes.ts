// The routes of passkeys: a log-in by one, and a user's own; holds no rule of them.
import type { PasskeyLogIns } from '../../services/passkey-log-ins.js'
import type { Passkeys } from '../../services/passkeys.js'
import type { StepUps } from '../../services/step-ups.js'
import type { TokenService } from '../../services/token-service.js'
import { AuthTokenDTO, toAuthTokenDTO } from './dto.js'
import { PasskeyDTO, toPasskeyDTO } from './factor-dto.js'
import { ProofRequest, RemoveFactorRequest } from './factor-requests.js'
import { UNPROVED } from './factor-routes.js'
import { AddedPasskeyDTO, AddPasskeyRequest, PasskeyLogInRequest, PasskeyOptionsRequest, readPasskeyName, RenamePasskeyRequest, toAddedPasskeyDTO } from './passkey-requests.js'
import { deviceTokensOf, readProof } from './requests.js'
import type { Route } from './routes.js'
import { CreationOptionsDTO, RequestOptionsDTO } from './webauthn-dto.js'

export interface PasskeyRouteParts { passkeys: Passkeys, passkeyLogIns: PasskeyLogIns, stepUps: Pick<StepUps, 'holder'>, tokens: Pick<TokenService, 'read' | 'readDevices'> }

export function passkeyRoutes ({ passkeys, passkeyLogIns, stepUps, tokens }: PasskeyRouteParts): Route[] {
  return [
    {
      operationId: 'beginLogInByPasskey', tag: 'tokens',
      description: 'Answers with what the browser uses a passkey by: any of this Signet, or one of the user of a ticket.',
      method: 'POST', url: '/login/passkey/options', summary: 'Begin to log in by a passkey', guard: 'open', limit: 'address',
      body: PasskeyOptionsRequest, isBodyOptional: true, status: 200, response: RequestOptionsDTO, errors: ['invalid_ticket', 'unknown_factor'],
      handle: async (_controller, { body, now }) => {
        const { ticket } = body as PasskeyOptionsRequest
        return ticket === undefined ? passkeyLogIns.begin(now) : passkeyLogIns.beginFor(await stepUps.holder(ticket, now), now)
      },
    },
    {
      operationId: 'logInByPasskey', tag: 'tokens',
      description: 'A passkey stands in for the password and for a second factor. It opens a family of refresh tokens, as a log-in by a password does.',
      method: 'POST', url: '/login/passkey', summary: 'Log in by a passkey', guard: 'open', limit: 'login', cookie: 'given',
      body: PasskeyLogInRequest, status: 200, response: AuthTokenDTO, errors: ['passkey_refused', 'email_not_verified', 'foreign_origin', 'too_many_active_tokens'],
      handle: async (_controller, { body, cookieToken, device, deviceTokens, now, overLimit }) => {
        const request = body as PasskeyLogInRequest
        const devices = tokens.readDevices(deviceTokensOf(request, deviceTokens), now)
        return toAuthTokenDTO(await passkeyLogIns.logIn(request.passkey, device, { family: tokens.read(cookieToken), devices, overLimit }, now))
      },
    },
    {
      operationId: 'beginPasskey', tag: 'accounts',
      description: 'Answers with what the browser makes a passkey by. It takes a fresh proof, as an authenticator app does.',
      method: 'POST', url: '/second-factors/passkeys/options', summary: 'Begin to add a passkey', guard: 'enrolling', limit: 'address',
      body: ProofRequest, isBodyOptional: true, status: 200, response: CreationOptionsDTO, errors: [...UNPROVED, 'too_many_passkeys'],
      handle: async (_controller, { body, device, now }, enroller) => await passkeys.begin(enroller, readProof(body as ProofRequest), device, now),
    },
    {
      operationId: 'addPasskey', tag: 'accounts',
      description: 'Takes what the browser made, ten of them at most. With the first second factor of an account come ten recovery codes, which are shown this once. Where a log-in was waiting for it, its tokens come too.',
      method: 'POST', url: '/second-factors/passkeys', summary: 'Add a passkey', guard: 'enrolling', limit: 'address',
      body: AddPasskeyRequest, status: 201, response: AddedPasskeyDTO, errors: ['invalid_passkey', 'passkey_exists', 'too_many_passkeys', 'foreign_origin', 'too_many_active_tokens'],
      handle: async (_controller, { body, device, now }, enroller) => {
        const { passkey: answer, name, close_others: closesOthers } = body as AddPasskeyRequest
        return toAddedPasskeyDTO(await passkeys.add(enroller, { answer, name: readPasskeyName(name), closesOthers }, device, now))
      },
    },
    {
      operationId: 'renamePasskey', tag: 'accounts',
      description: 'The id is that of /second-factors.',
      method: 'PATCH', url: '/second-factors/passkeys/:id', summary: 'Rename a passkey', guard: 'bearer', limit: 'address',
      body: RenamePasskeyRequest, status: 200, response: PasskeyDTO, errors: ['unknown_factor'],
      handle: async (_controller, { body, id, now }, caller) => toPasskeyDTO(await passkeys.rename(caller, id, readPasskeyName((body as RenamePasskeyRequest).name), now)),
    },
    {
      operationId: 'removePasskey', tag: 'accounts',
      description: 'It takes a fresh proof. With the last second factor go the recovery codes. The device that has it does not know: there it is removed apart.',
      method: 'DELETE', url: '/second-factors/passkeys/:id', summary: 'Remove a passkey', guard: 'bearer', limit: 'address',
      body: RemoveFactorRequest, isBodyOptional: true, status: 204, errors: [...UNPROVED, 'unknown_factor'],
      handle: async (_controller, { body, device, id, now }, caller) => {
        const { close_others: closesOthers, ...proof } = body as RemoveFactorRequest
        await passkeys.remove(caller, id, { ...readProof(proof), closesOthers }, device, now)
      },
    },
  ]
}
