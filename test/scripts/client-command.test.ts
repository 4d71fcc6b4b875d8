// What the commands on clients have in common: help, exit codes, the flags and files that say what a client is, and whose store it is.
import { generateKeyPairSync } from 'node:crypto'
import { chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { asRoot, programs } from '../keyring/as-user.js'
import { clientOperator, COMMANDS } from './client-operator.js'

const NOTES = ['--client-name', 'Notes', '--redirect-uri', 'https://app.example/callback']

t.test('every command explains itself, and wrong use is exit code 2', async t => {
  const { run, folder } = clientOperator(t)
  await Promise.all(COMMANDS.map(async command => {
    t.match(await run(command, '--help'), { code: 0, out: new RegExp(`Usage: npm run clients:${command}[^]*--json[^]*Exit code: 0`), err: '' }, command)
    t.match(await run(command, 'one', 'two'), { code: 2, out: '', err: /^This command takes (no client id|the id of one client)\.\n\n[^]*Usage:/ }, command)
  }))
  const faults = [
    ['add', 'What is this client to be?'], ['update x', 'What is this client to be?'], ['add --nonsense', 'There is no option --nonsense.'], ['add --client_name x', 'There is no option --client_name.'], ['add -n x', 'There is no option -n.'],
    ['add --client-name', 'The option --client-name needs a value.'], ['add --redirect-uri --json', 'The option --redirect-uri needs a value.'], ['list --json=yes', 'The option --json takes no value.'],
    ['add --first-party=yes', 'The option --first-party is true or false.'], ['show', 'This command takes the id of one client.'], ['rotate-secret x --force', 'There is no option --force.'],
  ] as const
  await Promise.all(faults.map(async ([line, fault]) => {
    const [command, ...args] = line.split(' ')
    t.match(await run(command!, ...args), { code: 2, out: '', err: fault }, line)
  }))
  t.strictSame(readdirSync(folder), [], 'and no store is made')
})

t.test('every flag says what its member says, and counts before the document', async t => {
  const { json, folder } = clientOperator(t)
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys: [key] }))
  writeFileSync(join(folder, 'client.json'), `\uFEFF${JSON.stringify({ client_name: 'Of the document', scope: 'read', contacts: [] })}`)
  const rehearse = async (...args: string[]) => await json('add', ...args, '--dry-run')
  t.strictSame(await rehearse(
    '--metadata', 'client.json', '--client-name', 'Notes', '--redirect-uri', 'https://app.example/a', '--redirect-uri=https://app.example/b', '--grant-type', 'authorization_code', '--grant-type', 'client_credentials', '--token-endpoint-auth-method', 'private_key_jwt',
    '--jwks', 'keys.json', '--scope', 'read write', '--scope', 'more', '--audience', 'signet', '--audience', 'https://api.example', '--post-logout-redirect-uri', 'https://app.example/bye', '--first-party', '--require-pkce', 'false'
  ), {
    code: 0, done: false, dry_run: true, client_name: 'Notes', redirect_uris: ['https://app.example/a', 'https://app.example/b'], grant_types: ['authorization_code', 'client_credentials'], response_types: ['code'], token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...key, use: 'sig' }] }, scope: 'openid profile email read write more', audiences: ['signet', 'https://api.example'], post_logout_redirect_uris: ['https://app.example/bye'], first_party: true, require_pkce: false,
  })
  t.match(await rehearse(...NOTES, '--token-endpoint-auth-method', 'private_key_jwt', '--jwks-uri', 'https://app.example/jwks', '--first-party', 'false', '--require-pkce'), { jwks_uri: 'https://app.example/jwks', first_party: false, require_pkce: true })
  t.match(await rehearse('--metadata', 'client.json', '--scope', ''), { client_name: 'Of the document', scope: undefined }, 'an empty value takes away')
})

t.test('a document comes from a file or from standard input, and what cannot be read is said', async t => {
  const { start, run, json, folder } = clientOperator(t)
  const { child, ended } = start('add', '--metadata', '-', '--json')
  child.stdin.end(JSON.stringify({ client_name: 'Reports', client_uri: 'https://app.example', scope: 'read' }))
  const { code, out, err } = await ended
  const answer = JSON.parse(out) as Record<string, unknown>
  t.strictSame([code, err], [0, 'Not kept, for it changes nothing: client_uri.\n'])
  t.match(answer, { client_id: /^[\da-f-]{36}$/, client_id_issued_at: Number, client_secret: /^[\w-]{43}$/, client_secret_expires_at: 0, client_name: 'Reports', grant_types: ['client_credentials'], scope: 'read' })
  for (const [name, text] of [['broken.json', '{'], ['bytes.json', Buffer.from([0x22, 0xff, 0x22])], ['list.json', '[]'], ['null.json', 'null']] as const) writeFileSync(join(folder, name), text)
  for (const [name, message] of [
    ['broken.json', 'What broken.json holds is no JSON in UTF-8.'], ['bytes.json', 'What bytes.json holds is no JSON in UTF-8.'], ['list.json', 'What list.json holds is no JSON object, whose members say what the client is.'],
    ['null.json', 'What null.json holds is no JSON object, whose members say what the client is.'], ['nothing.json', 'The file nothing.json cannot be read: it is not there.'], ['.', 'The file . cannot be read: it is a folder.'], ['-', 'What standard input holds is no JSON in UTF-8.'],
  ] as const) t.strictSame(await json('add', '--metadata', name), { code: 1, done: false, refused: 'error', message }, name)
  t.strictSame(await run('add', ...NOTES, '--jwks', 'nothing.json'), { code: 1, out: '', err: 'The file nothing.json cannot be read: it is not there.\n' })
})

t.test('all that is wrong with a client is said at once, and nothing is made', async t => {
  const { run, json, folder } = clientOperator(t)
  const wrong = ['--redirect-uri', 'http://app.example/', '--grant-type', 'implicit']
  const lines = ['redirect_uris: "http://app.example/" is plain HTTP, which is for 127.0.0.1, [::1] and localhost alone.', 'client_name: A client needs a name, which people are shown.', 'grant_types: It must be a list of one or more of authorization_code, refresh_token, client_credentials.']
  t.strictSame(await run('add', ...wrong), { code: 1, out: '', err: `This cannot be a client:\n${lines.map(line => `  ${line}\n`).join('')}` })
  t.match(await json('add', ...wrong), { code: 1, done: false, refused: 'invalid_client_metadata', errors: [{ field: 'redirect_uris' }, { field: 'client_name' }, { field: 'grant_types' }] })
  t.strictSame(readdirSync(folder), [])
})

t.test('where there is no store none is made but by the first client, and one that does not answer is said with its cause', async t => {
  const { run, json, folder } = clientOperator(t)
  const message = `There is no store in ${join(folder, 'signet.db')}: DATABASE_URL names another, or there is neither a user nor a client yet.`
  for (const [command, ...args] of [['list'], ['show', 'x'], ['update', 'x', '--client-name', 'y'], ['remove', 'x'], ['rotate-secret', 'x']]) t.strictSame(await run(command!, ...args), { code: 1, out: '', err: `${message}\n` }, command!)
  t.match(await run('add', ...NOTES, '--dry-run'), { code: 0, out: `Nothing was changed in ${join(folder, 'signet.db')}. It would be:\n  client_id ` })
  t.strictSame(readdirSync(folder), [])
  t.match(await run('add', ...NOTES), { code: 0, out: `Added to ${join(folder, 'signet.db')}:\n  client_id ` })
  t.strictSame(readdirSync(folder), ['signet.db'], 'whole in its one file')
  const away = clientOperator(t, 'mongodb://127.0.0.1:1/signet')
  t.match(await away.run('list'), { code: 1, out: '', err: /^The store does not answer\. \(connect ECONNREFUSED 127\.0\.0\.1:1.*\)\n$/ })
  t.match(await away.json('add', ...NOTES), { code: 1, refused: 'error', message: /^The store does not answer\./ })
  t.match(await clientOperator(t, 'redis://x').json('list'), { code: 1, message: /^The setting DATABASE_URL must be / })
  t.equal((await json('list'))['code'], 1, 'of a folder that was emptied')
})

asRoot(() => {
  t.test('what root adds to the store of a user is that user\'s', async t => {
    const { run, ROOT } = programs()
    const ada = { uid: 21_001, gid: 21_001 }
    const folder = join(t.testdir(), 'data')
    mkdirSync(folder)
    chownSync(folder, ada.uid, ada.gid)
    const env = { DATABASE_URL: `file:${folder}/signet.db` }
    t.match(await run(ROOT, 'scripts/clients-add.ts', env, NOTES), { code: 0, said: /^Added to/ })
    t.strictSame(readdirSync(folder).map(name => statSync(join(folder, name)).uid), [ada.uid])
    t.match(await run(ada, 'scripts/clients-list.ts', env), { code: 0, said: /Notes/ })
    t.match(await run(ROOT, 'scripts/clients-list.ts', env), { code: 0, said: /Notes/ })
    t.strictSame([...new Set(readdirSync(folder).map(name => statSync(join(folder, name)).uid))], [ada.uid])
  })
})
