// Ways back to an account by mail, for browsers (`@signet/client/recovery`): a forgotten password, and an address that is confirmed or changed; holds no session, and keeps no token.
import { askAsUser, toProof } from './requests.js'

/** @typedef {import('./client.js').Client} Client */
/** @typedef {import('./requests.js').Proof} Proof */

/** @param {Client} client */
export function createRecovery (client) {
  return {
    /** Has a link to set a new password sent, if an account has this address; nobody is told whether one has. @param {string} email @returns {Promise<void>} */
    forgotPassword: async email => { await client.ask('forgot-password', { email }) },

    /** Sets the password by what came in such a link. Every session of the account ends. @param {{ token: string, newPassword: string }} reset @returns {Promise<void>} */
    resetPassword: async ({ token, newPassword }) => { await client.ask('reset-password', { token, new_password: newPassword }) },

    /** Has a link to confirm the address sent, if an account has it and it is not confirmed. @param {string} email @returns {Promise<void>} */
    sendVerification: async email => { await client.ask('verify-email', { email }) },

    /** Confirms the address by what came in such a link, and the password. @param {{ token: string, password: string }} proof @returns {Promise<void>} */
    verifyEmail: async ({ token, password }) => { await client.ask('verify-email', { token, password }) },

    /** Has a link sent to the address that is to be that of who is signed in. Throws `fresh_log_in_needed` where a proof is wanted. @param {string} email @param {Proof} [proof] @returns {Promise<void>} */
    askToChangeEmail: async (email, proof) => { await askAsUser(client, 'POST', '/change-email', { email, ...toProof(proof) }) },

    /** Makes it that of the account, by what came in that link, and the password. @param {{ token: string, password: string }} proof @returns {Promise<void>} */
    changeEmail: async ({ token, password }) => { await client.ask('change-email', { token, password }) },
  }
}

/** @typedef {ReturnType<typeof createRecovery>} Recovery */
