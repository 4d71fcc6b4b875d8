// `npm run users:export`: all that is kept of a user, but for what opens the account; holds no rule of an account.
import { addressOf } from '../src/core/refresh-signs.js'
import type { Failures } from '../src/core/failures.js'
import { describeEvent } from '../src/core/events.js'
import type { Store, User } from '../src/store/store.js'
import { toInstant } from './command.js'
import { listAllEvents } from './store-command.js'
import { deviceOf, factorsOf, recordOf, runUserCommand, summaryOf, withUser, type Invocation } from './user-command.js'

const HELP = `Prints all that is kept of a user as JSON (GDPR, articles 15 and 20), but for what opens the account: the hash of the password, seeds, and the hashes of recovery codes. No token is kept.
Usage: npm run users:export -- USER
  USER     the id or the e-mail address
Exit code: 0 printed, 1 there is none, 2 wrong use.
`

function failuresOf (failed: Failures | undefined) {
  return failed ? { since: toInstant(failed.since), from_known_places: failed.known, from_others: failed.stranger, from_devices: failed.devices ?? {} } : null
}

/** Whatever else is kept of a user is to be named here. */
async function everythingOf (user: User, store: Store, invocation: Invocation) {
  return {
    ...summaryOf(user, invocation),
    email_verified: user.emailVerified ?? false,
    last_disabled_at: user.lastDisabledAt === undefined ? null : toInstant(user.lastDisabledAt),
    signed_in: user.families.map(family => ({ ...deviceOf(family, invocation), refreshes: family.generation, last_refreshed_from: family.rotatedBy === undefined ? null : addressOf(family.rotatedBy), status_list_place: family.serial ?? null })),
    signed_out: (user.closed ?? []).map(({ id, serial, at }) => ({ id, at: toInstant(at), status_list_place: serial ?? null })),
    second_factors: factorsOf(user),
    wrong_passwords: failuresOf(user.failed),
    wrong_codes: failuresOf(user.failedCodes),
    events: (await listAllEvents(store, { userId: user.id })).map(describeEvent),
  }
}

await runUserCommand({ help: HELP, options: {}, takes: 'one id' }, async invocation => await withUser(invocation, async (user, store) => {
  const json = await everythingOf(user, store, invocation)
  await recordOf(store, { kind: 'user.exported', userId: user.id })
  return { code: 0, text: JSON.stringify(json, null, 2), json }
}))
