// A client from its first day to its last, by the commands and beside a server that runs; knows no store.
import t, { type Test } from 'tap'
import { isSecretOf } from '../../src/core/client.js'
import { clientOperator } from './client-operator.js'
import { run as runServer, settings, withRing } from '../server-process.js'

const NOTES = ['--client-name', 'Notes', '--redirect-uri', 'https://app.example/callback', '--audience', 'signet']
const RACERS = 6

/** Declares the tests of the commands on the stores that `urlFor` names. */
export function proveClientCommands (urlFor: (t: Test) => string | undefined): void {
  t.test('a client is made, listed, shown, changed and removed, while a server runs on the same store', async t => {
    const { run, json, kept, databaseUrl } = clientOperator(t, urlFor(t))
    const place = databaseUrl.startsWith('file:') ? databaseUrl.slice('file:'.length) : 'MongoDB'
    const server = runServer(t, { ...await withRing(settings(t, { LOG_LEVEL: 'info' })), DATABASE_URL: databaseUrl })
    await server.ready()
    t.strictSame(await run('list'), { code: 0, out: `There is no client in ${place}; clients:add makes one.\n`, err: '' })

    const { code, client_secret: secret, client_secret_expires_at: expiry, ...added } = await json('add', ...NOTES)
    const { client_id: id, client_id_issued_at: at } = added
    t.strictSame([code, expiry], [0, 0])
    t.match(await kept(id), { id, version: 1, name: 'Notes', authMethod: 'client_secret_basic' })
    t.ok(isSecretOf((await kept(id))!, String(secret)))
    t.notMatch(JSON.stringify(await kept(id)), String(secret), 'which is kept hashed')

    t.strictSame(await json('show', String(id)), { code: 0, ...added, client_secrets_issued_at: [at] })
    t.strictSame(await json('list'), { code: 0, clients: [{ ...added, client_secrets_issued_at: [at] }] })
    t.match(await run('list'), { code: 0, out: new RegExp(`^Clients in ${place}\\n  CLIENT ID .*\\n  ${id}  Notes  client_secret_basic  authorization_code refresh_token .* UTC\\n$`) })
    t.match(await run('show', String(id)), { code: 0, out: new RegExp(`^ {2}client_id +${id}\\n {2}client_name +Notes\\n[^]*\\n {2}secrets: 1 +of .* UTC\\n$`) })

    const rehearsal = await json('update', String(id), '--client-name', 'Papers', '--dry-run')
    t.strictSame(rehearsal, { code: 0, done: false, dry_run: true, ...added, client_name: 'Papers' })
    t.match(await kept(id), { version: 1, name: 'Notes' })
    t.strictSame(await json('update', String(id), '--client-name', 'Papers', '--first-party'), { code: 0, ...added, client_name: 'Papers', first_party: true })
    t.match(await kept(id), { version: 2, name: 'Papers', isOurs: true, audiences: ['signet'] })
    t.match(await run('update', String(id), '--client-name', 'Papers'), { code: 0, out: 'Nothing changes: the client is so already.\n', err: '' })
    t.match(await kept(id), { version: 2 })
    t.match(await run('update', String(id), '--redirect-uri', ''), { code: 1, out: '', err: 'This cannot be a client:\n  redirect_uris: The grant type authorization_code needs one at least.\n' })

    const gone = new RegExp(`${id}  Papers\n.*no server knows a client that is removed.*at most 10 minutes on \\(ACCESS_TOKEN_TTL\\)\\.\n$`)
    t.match(await run('remove', String(id), '--dry-run'), { code: 0, out: gone, err: '' })
    t.ok(await kept(id))
    t.match(await run('remove', String(id)), { code: 0, out: gone, err: '' })
    t.equal(await kept(id), undefined)
    const commands = [['show'], ['remove'], ['remove', '--dry-run'], ['update', '--client-name', 'x'], ['update', '--client-name', 'x', '--dry-run'], ['rotate-secret'], ['rotate-secret', '--retire']]
    const refusals = await Promise.all(commands.map(async ([command, ...args]) => await json(command!, String(id), ...args)))
    const unknown = { code: 1, done: false, refused: 'unknown_client', message: 'There is no client of this id; clients:list shows those there are.' }
    t.strictSame(refusals, commands.map(() => unknown))
    t.equal((await server.end('SIGTERM')).code, 0)
  })

  t.test('a secret is rotated: two are good at once, a third is refused, and the older one is retired', async t => {
    const { run, json, kept } = clientOperator(t, urlFor(t))
    const { client_id: id, client_secret: first } = await json('add', ...NOTES)
    t.match(await json('rotate-secret', String(id), '--retire'), { code: 1, refused: 'one_secret' })
    t.match(await json('rotate-secret', String(id), '--dry-run'), { code: 0, done: false, dry_run: true, client_id: id, client_secret: undefined })
    const { client_secret: second } = await json('rotate-secret', String(id))
    const both = (await kept(id))!
    t.strictSame([first, second].map(secret => isSecretOf(both, String(secret))), [true, true])
    t.match(await json('rotate-secret', String(id)), { code: 1, refused: 'two_secrets', message: /--retire/ })
    t.match(await run('rotate-secret', String(id), '--retire'), { code: 0, out: /Within 3 seconds the older secret is good nowhere any more\.\n$/, err: '' })
    const after = (await kept(id))!
    t.strictSame([first, second].map(secret => isSecretOf(after, String(secret))), [false, true])

    t.match(await json('update', String(id), '--token-endpoint-auth-method', 'none'), { code: 0, client_secret: undefined })
    t.match(await kept(id), { secrets: [] })
    t.match(await json('rotate-secret', String(id)), { code: 1, refused: 'no_secret' })
    t.match(await json('update', String(id), '--token-endpoint-auth-method', 'client_secret_post', '--dry-run'), { code: 0, client_secret: undefined })
    const { client_secret: third } = await json('update', String(id), '--token-endpoint-auth-method', 'client_secret_post')
    t.ok(isSecretOf((await kept(id))!, String(third)), 'a client that begins to need a secret is given one')
  })

  t.test('commands that race change a client one after the other, and of as many rotations one is made', async t => {
    const { json, kept } = clientOperator(t, urlFor(t))
    const { client_id: id } = await json('add', ...NOTES)
    const race = async (run: (index: number) => ReturnType<typeof json>) => await Promise.all(Array.from({ length: RACERS }, async (_, index) => await run(index)))
    const members = ['--client-name', '--scope', '--audience', '--post-logout-redirect-uri', '--first-party', '--require-pkce']
    const values = ['Papers', 'read', 'https://api.example', 'https://app.example/bye', 'true', 'false']
    t.strictSame((await race(async index => await json('update', String(id), members[index]!, values[index]!))).map(({ code }) => code), Array.from({ length: RACERS }, () => 0))
    t.match(await kept(id), { version: 1 + RACERS, name: 'Papers', scopes: ['read'], audiences: ['https://api.example'], postLogoutRedirectUris: ['https://app.example/bye'], isOurs: true, requiresPkce: false }, 'none undoes another')
    const rotations = await race(async () => await json('rotate-secret', String(id)))
    t.strictSame(rotations.map(({ code }) => code).sort(), [0, ...Array.from({ length: RACERS - 1 }, () => 1)])
    const { client_secret: secret } = rotations.find(({ code }) => code === 0)!
    const after = (await kept(id))!
    t.equal(after.secrets.length, 2)
    t.ok(isSecretOf(after, String(secret)))
  })
}
