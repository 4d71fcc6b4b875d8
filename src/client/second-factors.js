// Second factors, and passkeys instead of a password, for browsers (`@signet/client/second-factors`): logging in with them, adding, naming and removing them; holds no session, and keeps no code.
import { SignetError } from './client.js'
import { askAsUser, toProof } from './requests.js'

/** @typedef {import('./client.js').Client} Client */
/** @typedef {import('./requests.js').Proof} Proof */
/** @typedef {{ id: string, name: string, added_at: string, last_used_at: string | null, is_backed_up: boolean }} Passkey */
/** @typedef {{ totp: { added_at: string } | null, passkeys: Passkey[], recovery_codes: number }} Factors  `recovery_codes` are how many are left. */
/** @typedef {{ secret: string, uri: string, ticket: string }} AppOffer  For the app, as text and for a QR code, and what it is confirmed with. */
/** @typedef {{ closeOthers?: boolean | undefined }} Closing  Whether every other device is logged out. */
/** @typedef {{ logIn?: string | undefined }} Enrolment  The ticket of a log-in that waits for it: by it the browser is logged in. */
/** @typedef {{ recovery_codes: string[] | null }} Added  With the first factor come recovery codes, shown this once. */

/** Whether this browser knows passkeys. */
export function knowsPasskeys () {
  return globalThis.PublicKeyCredential !== undefined
}

/** @param {Client} client */
export function createSecondFactors (client) {
  /** For who is signed in, or for a log-in that waits. @param {string} path @param {object} body @param {string} [ticket] @returns {Promise<any>} */
  const begin = async (path, body, ticket) => ticket === undefined ? await askAsUser(client, 'POST', `/${path}`, body) : await client.ask(path, body, ticket)
  /** @param {string} path @param {object} body @param {string} [ticket] @returns {Promise<Added>} */
  const add = async (path, body, ticket) => ticket === undefined ? await askAsUser(client, 'POST', `/${path}`, body) : /** @type {Added} */ (await client.logInBy(path, body, ticket))

  return {
    /** Goes on with the log-in that threw this ticket, by a code of the app or by a recovery code. @param {string} ticket @param {{ code: string } | { recoveryCode: string }} brought @returns {Promise<void>} */
    logIn: async (ticket, brought) => { await client.logInBy('login/second-factor', { ticket, ...('code' in brought ? brought : { recovery_code: brought.recoveryCode }) }) },

    /** Logs in by a passkey, instead of a password; or goes on by one with the log-in that threw this ticket. @param {string} [ticket] @returns {Promise<void>} */
    logInByPasskey: async ticket => {
      const passkey = await usePasskey(await client.ask('login/passkey/options', { ticket }))
      await client.logInBy(ticket === undefined ? 'login/passkey' : 'login/second-factor', { ticket, passkey })
    },

    /** What who is signed in has. @returns {Promise<Factors>} */
    list: async () => await askAsUser(client, 'GET', '/second-factors'),

    /** Begins to add an authenticator app. Throws `fresh_log_in_needed` where a proof is wanted, as all that change something do. @param {Proof & Enrolment} [how] @returns {Promise<AppOffer>} */
    offerApp: async ({ logIn, ...proof } = {}) => await begin('second-factors/totp', toProof(proof), logIn),

    /** Adds it, by a code that it shows. @param {{ ticket: string, code: string } & Closing & Enrolment} confirmation @returns {Promise<Added>} */
    confirmApp: async ({ ticket, code, closeOthers, logIn }) => await add('second-factors/totp/confirm', { ticket, code, close_others: closeOthers }, logIn),

    /** @param {Proof & Closing} [how] @returns {Promise<void>} */
    removeApp: async ({ closeOthers, ...proof } = {}) => { await askAsUser(client, 'DELETE', '/second-factors/totp', { close_others: closeOthers, ...toProof(proof) }) },

    /** Makes a passkey with the browser, and adds it. @param {{ name: string } & Proof & Closing & Enrolment} how @returns {Promise<Added>} */
    addPasskey: async ({ name, closeOthers, logIn, ...proof }) => {
      const passkey = await makePasskey(await begin('second-factors/passkeys/options', toProof(proof), logIn))
      return await add('second-factors/passkeys', { passkey, name, close_others: closeOthers }, logIn)
    },

    /** @param {string} id @param {string} name @returns {Promise<void>} */
    renamePasskey: async (id, name) => { await askAsUser(client, 'PATCH', `/second-factors/passkeys/${id}`, { name }) },

    /** @param {string} id @param {Proof & Closing} [how] @returns {Promise<void>} */
    removePasskey: async (id, { closeOthers, ...proof } = {}) => { await askAsUser(client, 'DELETE', `/second-factors/passkeys/${id}`, { close_others: closeOthers, ...toProof(proof) }) },

    /** Makes ten new recovery codes, in the place of those that were left. @param {Proof} [proof] @returns {Promise<string[]>} */
    makeRecoveryCodes: async proof => (await askAsUser(client, 'POST', '/second-factors/recovery-codes', toProof(proof))).recovery_codes,
  }
}

/** @typedef {ReturnType<typeof createSecondFactors>} SecondFactors */

/** @param {any} options  PublicKeyCredentialRequestOptionsJSON */
async function usePasskey (options) {
  const publicKey = globalThis.PublicKeyCredential.parseRequestOptionsFromJSON?.(options) ?? { ...options, ...decoded(options), allowCredentials: options.allowCredentials.map(decoded) }
  return toJson(await navigator.credentials.get({ publicKey }).catch(refused))
}

/** @param {any} options  PublicKeyCredentialCreationOptionsJSON */
async function makePasskey (options) {
  const publicKey = globalThis.PublicKeyCredential.parseCreationOptionsFromJSON?.(options) ?? { ...options, ...decoded(options), user: { ...options.user, ...decoded(options.user) }, excludeCredentials: options.excludeCredentials.map(decoded) }
  return toJson(await navigator.credentials.create({ publicKey }).catch(refused))
}

/** What a credential is as JSON, where the browser cannot say it itself (Web Authentication, Level 3, section 5.1). @param {any} credential */
function toJson (credential) {
  if (credential.toJSON) return credential.toJSON()
  const { id, type, response } = credential
  const names = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'].filter(name => response[name])
  return { id, rawId: id, type, clientExtensionResults: {}, response: { ...Object.fromEntries(names.map(name => [name, encode(response[name])])), ...(response.getTransports && { transports: response.getTransports() }) } }
}

/** What of these options is bytes. @param {{ id?: string, challenge?: string, transports?: string[], type?: string }} options */
function decoded ({ id, challenge, ...rest }) {
  return { ...rest, ...(id && { id: decode(id) }), ...(challenge && { challenge: decode(challenge) }) }
}

/** @param {string} text in base64url */
function decode (text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), letter => letter.charCodeAt(0))
}

/** @param {ArrayBuffer} bytes */
function encode (bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Why the browser gave none: it does not tell whether somebody said no, or had none to use. @param {Error} error @returns {never} */
function refused ({ name }) {
  if (name === 'InvalidStateError') throw new SignetError({ code: 'passkey_exists', detail: 'This device has a passkey for the account already.' })
  if (name === 'NotAllowedError' || name === 'AbortError') throw new SignetError({ code: 'passkey_given_up', detail: 'No passkey was used: it was cancelled, or took too long.' })
  throw new SignetError({ code: 'passkey_unsupported', detail: 'This browser cannot use a passkey here.' })
}
