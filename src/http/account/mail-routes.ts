// The routes that are there where mails are sent; holds no logic but which of two things a body asks for.
import { LINK_LIFE, type MailedLinks } from '../../services/mailed-links.js'
import type { AddressProofs } from '../../services/address-proofs.js'
import type { MailQueue } from '../../services/mail-queue.js'
import type { PasswordResets } from '../../services/password-resets.js'
import type { Registrations } from '../../services/registrations.js'
import { LinkSentDTO, UserDTO } from './dto.js'
import { asksForLink, ChangeEmailRequest, ForgotPasswordRequest, readAddress, readNewAddress, readPassword, readProof, RegistrationRequest, VerifyEmailRequest } from './requests.js'
import { ROUTES, type OpenRoute, type Route } from './routes.js'

export interface MailRouteParts {
  addresses: AddressProofs
  resets: PasswordResets
  links: MailedLinks
  mails: MailQueue
  /** How accounts are made, where nobody may learn whose address has one; else at once, with a proof of the address where a log-in needs one, or none. */
  registrations: Registrations | 'with proof' | 'without'
  weaknessOf: (password: string, email: string) => string | undefined
}

const RESET_SENT: LinkSentDTO = { expires_in: LINK_LIFE.reset / 1000 }
const PROOF_SENT: LinkSentDTO = { expires_in: LINK_LIFE.proof / 1000 }

/** All routes of accounts, where mails are sent; without parts those there are without. */
export function routesWith (parts: MailRouteParts | undefined): Route[] {
  if (!parts) return ROUTES
  return [...ROUTES.map(route => route.operationId === 'register' ? register(route, parts) : route), ...mailRoutes(parts)]
}

function register (route: Route, { addresses, registrations, weaknessOf }: MailRouteParts): Route {
  if (registrations === 'without') return route
  const open = route as OpenRoute
  const withProof: OpenRoute = {
    ...open,
    handle: async (controller, visit) => {
      const user = await open.handle(controller, visit)
      addresses.askToVerify((visit.body as RegistrationBody).email)
      return user
    },
  }
  if (registrations === 'with proof') return withProof
  const unseen: OpenRoute = {
    ...open, status: 202, response: LinkSentDTO, elsewhere: { status: 201, response: UserDTO },
    handle: async (_controller, { body, device, now }) => {
      await registrations.ask(new RegistrationRequest(body as RegistrationBody).toRegistration(weaknessOf), device, now)
      return PROOF_SENT
    },
  }
  return unseen
}

function mailRoutes ({ addresses, links, mails, resets }: MailRouteParts): Route[] {
  return [
    {
      operationId: 'forgotPassword', tag: 'accounts',
      description: 'Sends a link by which a new password can be set, if there is an account with this address; the answer is the same whether or not there is one.',
      method: 'POST', url: '/forgot-password', summary: 'Have a link sent to set a new password', guard: 'open', limit: 'register',
      body: ForgotPasswordRequest, status: 202, response: LinkSentDTO, errors: [],
      handle: async (_controller, { body, device }) => {
        resets.ask(readAddress((body as ForgotPasswordRequest).email), { links, mails }, device)
        return RESET_SENT
      },
    },
    {
      operationId: 'verifyEmail', tag: 'accounts',
      description: 'With an address it sends a link to it, if it is an account\'s and not confirmed; the answer is the same whether or not it is. With the token of the link and the password of the account it confirms the address.',
      method: 'POST', url: '/verify-email', summary: 'Confirm an e-mail address', guard: 'open', limit: 'register',
      body: VerifyEmailRequest, status: 202, response: LinkSentDTO, mayBeEmpty: true, errors: ['invalid_email_token', 'invalid_credentials', 'busy'],
      handle: async (_controller, { body, device, now }) => {
        const request = body as VerifyEmailRequest
        if (!asksForLink(request)) return await addresses.verify(request.token!, readPassword('password', request.password), device, now)
        addresses.askToVerify(readAddress(request.email))
        return PROOF_SENT
      },
    },
    {
      operationId: 'changeEmail', tag: 'accounts',
      description: 'With an address it sends a link to it: that takes an access token, and the password unless the log-in is not older than ten minutes. With the token of the link and the password of the account it makes the address that of the account, tells the one before, and makes void every link that was sent for the account; that takes no access token.',
      method: 'POST', url: '/change-email', summary: 'Change the e-mail address', guard: 'either', limit: 'register',
      body: ChangeEmailRequest, status: 202, response: LinkSentDTO, mayBeEmpty: true, errors: ['invalid_email_token', 'invalid_credentials', 'fresh_log_in_needed', 'wrong_password', 'wrong_code', 'email_taken', 'busy'],
      handle: async (_controller, { body, device, now }, identify) => {
        const { current_password: password, code, ...request } = body as ChangeEmailRequest
        if (!asksForLink(request)) return await addresses.change(request.token!, readPassword('password', request.password), device, now)
        await addresses.askToChange(await identify(), readNewAddress(request.email), readProof({ current_password: password, code }), device, now)
        return PROOF_SENT
      },
    },
  ]
}

type RegistrationBody = ConstructorParameters<typeof RegistrationRequest>[0]
