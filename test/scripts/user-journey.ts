// A user from the first day to the last, by the commands and beside a server that runs; knows no store.
import t, { type Test } from 'tap'
import { ask, run as runServer } from '../server-process.js'
import { userOperator } from './user-operator.js'

const EMAIL = 'ada@example.com'
const PASSWORD = 'correct horse battery'
const LINK = /^https:\/\/id\.example\/signet\/account#reset-password=([\w.-]+)$/

interface Pair { access_token: string, refresh_token: string }

/** Declares the test of the commands on the stores that `urlFor` names. */
export function proveUserCommands (urlFor: (t: Test) => string | undefined): void {
  t.test('a user is added, found, given roles, signed out, disabled, given a password, exported and deleted, while a server runs on the same store', async t => {
    const { run, json, stored, env } = await userOperator(t, urlFor(t))
    const place = env.DATABASE_URL.startsWith('file:') ? env.DATABASE_URL.slice('file:'.length) : 'MongoDB'
    const server = runServer(t, { ...env, PORT: '0', HASH_THREADS: '1', LOG_LEVEL: 'info', REGISTRATION: 'closed', ACCESS_TOKEN_TTL: '60' })
    const url = await server.ready()
    const login = async (password = PASSWORD) => await ask(`${url}/login`, { email: EMAIL, password })
    const refresh = async (pair: Pair) => await ask(`${url}/refresh`, { refresh_token: pair.refresh_token })
    t.match(await ask(`${url}/register`, { email: EMAIL, password: PASSWORD }), { status: 403, body: { code: 'registration_closed' } })

    const added = await json('add', '--email', ' Ada@Example.com', '--name', 'Ada', '--role', 'staff', '--role', 'admin')
    const { user_id: id, link } = added as { user_id: string, link: string }
    t.match(added, { code: 0, done: true, email: EMAIL, name: 'Ada', roles: ['admin', 'staff'], link: LINK, expires_at: String })
    const [, token] = LINK.exec(link)!
    t.equal((await login('')).status, 401, 'nobody knows the password')
    t.equal((await ask(`${url}/reset-password`, { token, new_password: PASSWORD })).status, 204)
    t.equal((await ask(`${url}/reset-password`, { token, new_password: 'another harbour' })).status, 400)
    t.notMatch(server.output.out, token!)

    const summary = { id, email: EMAIL, name: 'Ada', roles: ['admin', 'staff'], created_at: String(added['created_at']), disabled_at: null, devices: 0 }
    t.match(await json('add', '--email', EMAIL), { code: 1, refused: 'email_taken' })
    await stored(async store => await store.insertUser({ id: 'ffffffff-ffff-4fff-8fff-ffffffffffff', email: 'other@example.org', name: null, passwordHash: '', createdAt: 0, families: [], roles: [] }))
    t.strictSame(await json('list', '--limit', '1'), { code: 0, users: [summary], next: id })
    t.match(await json('list', '--after', id, '--disabled', 'false'), { code: 0, users: [{ email: 'other@example.org' }], next: null })
    t.match(await json('list', '--email', 'ADA@', '--since', new Date(Date.parse(summary.created_at)).toISOString()), { users: [{ id }] })
    t.match(await json('list', '--email', 'ADA@', '--since', '2h'), { users: [{ id }] })
    t.match(await run('list', '--email', '@example', '--limit', '1'), { code: 0, out: new RegExp(`^Users in ${place}\n  ID .*\n  ${id}  ${EMAIL} +admin staff  .* UTC\nThere are more: --after ${id}\n$`), err: '' })

    const [one, other] = [(await login()).body as Pair, (await login()).body as Pair]
    const shown = await json('show', EMAIL) as { signed_in: Array<{ id: string }> }
    t.match(shown, { ...summary, devices: 2, signed_in: [{ ip: '127.0.0.1', user_agent: 'node', client: null }, {}] })
    t.match(await run('show', id), { code: 0, out: new RegExp(`^  id +${id}\n[^]*roles +admin staff\n[^]*DEVICE[^]*${shown.signed_in[0]!.id}  `), err: '' })
    t.match(await json('sign-out', id, '--device', shown.signed_in[0]!.id, '--dry-run'), { code: 0, done: false, signed_out: 1 })
    t.match(await json('sign-out', id, '--device', shown.signed_in[0]!.id), { code: 0, done: true, signed_out: 1 })
    t.match(await json('sign-out', id, '--device', shown.signed_in[0]!.id), { code: 1, refused: 'unknown_device' })
    const alive = (await refresh(one)).status === 200 ? one : other
    t.match(await refresh(alive === one ? other : one), { status: 401 })

    t.match(await json('set-roles', id, '--role', 'staff'), { code: 0, done: true, roles: ['staff'], signed_out: 0 })
    const next = (await refresh(alive)).body as Pair
    t.match(await ask(`${url}/user-info`, undefined, next.access_token), { status: 200, body: { roles: ['staff'] } })
    t.match(await run('set-roles', id, '--role', 'staff'), { code: 0, out: 'Nothing changes: the user has these roles already.\n', err: '' })
    t.match(await run('set-roles', id, '--none', '--now'), { code: 0, out: `Roles: none. In ${place}:\n  ${id}  ${EMAIL}\nOne device is signed out: Signet refuses its tokens at once, services that look at the status list within seconds, and any other when they expire, at most 10 minutes on (ACCESS_TOKEN_TTL).\n`, err: '' })
    t.equal((await ask(`${url}/user-info`, undefined, next.access_token)).status, 401)

    const third = (await login()).body as Pair
    t.match(await json('disable', EMAIL, '--dry-run'), { code: 0, done: false, dry_run: true, signed_out: 1 })
    t.match(await json('disable', EMAIL), { code: 0, done: true, user_id: id, signed_out: 1 })
    t.match(await json('disable', EMAIL), { code: 0, done: false, unchanged: true })
    t.match(await json('list', '--disabled', 'true'), { users: [{ id, disabled_at: String }] })
    t.match([await login(), await refresh(third)], [{ status: 401, body: { code: 'invalid_credentials' } }, { status: 401, body: { code: 'invalid_grant' } }])
    t.match(await json('reset-password', id), { code: 1, refused: 'disabled' })
    t.match(await json('enable', id), { code: 0, done: true })
    t.match(await json('enable', id), { code: 0, done: false, unchanged: true })

    const factors = { version: 1, totp: { seed: 'a sealed seed', addedAt: 1_000, lastStep: 0 }, passkeys: [{ id: 'id', publicKey: 'a public key', counter: 0, transports: [], name: 'Phone', addedAt: 2_000, lastUsedAt: null, isBackedUp: true }], recoveryCodes: ['a digest'], spent: [] }
    const listed = { totp: { added_at: '1970-01-01T00:00:01.000Z' }, passkeys: [{ id: 'id', name: 'Phone', added_at: '1970-01-01T00:00:02.000Z', last_used_at: null, is_backed_up: true }], recovery_codes: 1 }
    const none = { totp: null, passkeys: [], recovery_codes: 0 }
    t.match(await json('show', id), { second_factors: none })
    t.match(await json('remove-second-factors', id), { code: 0, done: false, unchanged: true })
    await login()
    await stored(async store => { await store.changeFactors({ userId: id, from: 0, factors }) })
    t.match(await json('show', id), { second_factors: listed })
    t.match(await run('show', id), { out: /second factors +authenticator app, passkey Phone; recovery codes left: 1\n/ })
    const exported = await run('export', id)
    t.match(JSON.parse(exported.out), { second_factors: listed, wrong_codes: null })
    t.notMatch(exported.out, /a sealed seed|a public key|a digest/)
    t.match(await login(), { status: 401, body: { code: 'second_factor_required' } })
    t.match(await json('remove-second-factors', EMAIL), { code: 1, refused: 'unconfirmed' })
    t.match(await json('remove-second-factors', EMAIL, '--dry-run'), { code: 0, done: false, removed: ['totp', 'passkey'], signed_out: 0 })
    t.match(await json('remove-second-factors', EMAIL, '--yes'), { code: 0, done: true, removed: ['totp', 'passkey'], signed_out: 0 })
    t.match(await json('show', id), { second_factors: none, devices: 1 })
    await stored(async store => { await store.changeFactors({ userId: id, from: 2, factors: { ...factors, version: 3, passkeys: [] } }) })
    t.match(await json('remove-second-factors', EMAIL, '--yes', '--sign-out'), { code: 0, done: true, removed: ['totp'], signed_out: 1 })
    t.equal((await login()).status, 200)
    const reset = await json('reset-password', EMAIL, '--valid', '24h') as { link: string, expires_at: string }
    t.ok(Math.abs(Date.parse(reset.expires_at) - Date.now() - 86_400_000) < 3_600_000)
    t.equal((await login()).status, 200, 'nothing changes by the asking')
    t.equal((await ask(`${url}/reset-password`, { token: LINK.exec(reset.link)![1]!, new_password: 'another harbour' })).status, 204)
    t.match([await login(), await login('another harbour')], [{ status: 401 }, { status: 200 }])

    const all = await run('export', id)
    const { events } = JSON.parse(all.out) as { events: Array<{ kind: string, by?: string, details?: { cause?: string, reason?: string } }> }
    const done = events.filter(({ by }) => by !== undefined).reverse()
    t.strictSame(done.map(({ kind, details, by }) => [details?.cause ? `${kind} ${details.cause}` : kind, by!.split(', ')[1]]), [
      ['user.added', 'users:add'], ['family.closed operator', 'users:sign-out'], ['user.roles_changed', 'users:set-roles'], ['user.roles_changed', 'users:set-roles'], ['family.closed roles_changed', 'users:set-roles'],
      ['user.disabled', 'users:disable'], ['family.closed disabled', 'users:disable'], ['user.enabled', 'users:enable'], ['user.exported', 'users:export'], ['second_factor.removed', 'users:remove-second-factors'], ['second_factor.removed', 'users:remove-second-factors'], ['second_factor.removed', 'users:remove-second-factors'], ['family.closed operator', 'users:remove-second-factors'], ['password.reset_offered', 'users:reset-password'],
    ], 'each by the command that did it')
    t.ok(events.some(({ kind, details }) => kind === 'login.failed' && details?.reason === 'disabled'))
    t.ok(events.some(({ kind }) => kind === 'password.reset'))
    t.match(JSON.parse(all.out), { id, email: EMAIL, signed_in: [{ ip: '127.0.0.1', user_agent: 'node', refreshes: 0, last_refreshed_from: null }], signed_out: [{ at: String }], wrong_passwords: { from_others: Number } })
    const kept = await stored(async store => (await store.findUser(id))!)
    t.notMatch(all.out, kept.passwordHash)
    t.match(await run('sign-out', id, '--all', '--dry-run'), { code: 0, out: /^Nothing was changed in .*\. It would be: Signed out everywhere\.\n/ })
    t.match(await json('sign-out', id, '--all'), { code: 0, signed_out: 1 })
    t.match(await json('sign-out', id, '--all'), { code: 0, signed_out: 0 })
    const closings = await stored(async store => await store.listEvents({ userId: id, kinds: ['family.closed'], limit: 2 }))
    t.match(closings.map(({ details }) => details), [{ cause: 'operator', count: 1 }, { cause: 'password_reset' }], 'where nothing was open, nothing was closed')

    t.match(await json('delete', EMAIL), { code: 1, refused: 'unconfirmed', message: `${EMAIL} is deleted for good. There is nobody to ask: say so with --yes.` })
    t.match(await json('delete', EMAIL, '--dry-run'), { code: 0, done: false, user_id: id })
    t.match(await run('delete', EMAIL, '--yes'), { code: 0, out: new RegExp(`^Deleted\\. In ${place}:\n  ${id}  ${EMAIL}\nNo device was signed in\\.\n`), err: '' })
    t.match(await stored(async store => await store.listUsers('', 1)), [{ id, email: id, passwordHash: '', families: [] }])
    t.match(await stored(async store => await store.listEvents({ userId: id, limit: 10 })), [{ kind: 'user.deleted', by: /, users:delete$/ }], 'and nothing else is kept of what happened')
    t.match(await json('show', id), { code: 1, refused: 'unknown_user', message: 'There is no such user; users:list shows those there are.' })
    t.equal((await login('another harbour')).status, 401)
    t.equal((await server.end('SIGTERM')).code, 0)
    t.notMatch(server.output.out, /reset-password=|another harbour/)
  })
}
