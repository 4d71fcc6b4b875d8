// What the commands on users have in common: help, exit codes, what cannot be, and who is asked before what cannot be undone.
import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { plainNode } from '../compiled.js'
import { asRoot, programs } from '../keyring/as-user.js'
import { startProgram } from '../program.js'
import { COMMANDS, userOperator } from './user-operator.js'

const WRONG_USE: Array<[line: string, fault: string]> = [
  ['show', 'This command takes one user, by id or e-mail address.'], ['list ada@example.com', 'This command takes no user.'], ['list --limit 0', 'The option --limit takes a whole number from 1 to 1000.'], ['list --limit 1e2', 'The option --limit takes a whole number from 1 to 1000.'], ['list --limit 1001', 'The option --limit takes a whole number from 1 to 1000.'], ['list --disabled yes', 'The option --disabled is true or false.'],
  ['list --since yesterday', 'The option --since takes a day, such as 2026-11-25, an instant, such as 2026-11-25T09:30Z, or how long ago, such as 2h or 7d.'], ['list --since 7', 'The option --since takes a day, such as 2026-11-25, an instant, such as 2026-11-25T09:30Z, or how long ago, such as 2h or 7d.'], ['add', 'Who is this to be? Name the address by --email.'], ['sign-out x', 'Name one device by --device, or say --all.'], ['sign-out x --device y --all', 'Name one device by --device, or say --all.'],
  ['set-roles x', 'Name the roles by --role, or say --none.'], ['reset-password x --valid 25h', 'The option --valid is from 1m to 24h.'], ['reset-password x --valid 59s', 'The option --valid is from 1m to 24h.'], ['add --email a@example.com --valid soon', 'The option --valid is from 1m to 24h.'], ['delete x --force', 'There is no option --force.'],
]

t.test('every command explains itself, wrong use is exit code 2, and no store is made', async t => {
  const { run, json, env, folder } = await userOperator(t)
  for (const command of COMMANDS) t.match(await run(command, '--help'), { code: 0, out: new RegExp(`Usage: npm run users:${command}[^]*Exit code: 0`), err: '' }, command)
  for (const [line, fault] of WRONG_USE) {
    const [command, ...args] = line.split(' ')
    t.match(await run(command!, ...args), { code: 2, out: '', err: fault }, line)
  }
  const refusals: Array<[args: string[], refused: string]> = [
    [['add', '--email', 'nobody'], 'invalid_email'], [['add', '--email', 'a@example.com', '--name', ' '], 'invalid_name'], [['add', '--email', 'a@example.com', '--role', 'a b'], 'invalid_roles'], [['set-roles', 'x', '--role', ''], 'invalid_roles'], [['show', 'x'], 'error'],
  ]
  for (const [[command, ...args], refused] of refusals) t.match(await json(command!, ...args), { code: 1, done: false, refused }, refused)
  t.match(await run('add', '--email', 'a@example.com', '--dry-run'), { code: 0, out: /^Nothing was changed in .*signet\.db\. It would be: Added\.\n {2}an id of its own {2}a@example\.com\n$/ })
  rmSync(env.KEYS_DIR, { recursive: true })
  t.match(await json('add', '--email', 'a@example.com'), { code: 1, message: `There is no key ring in ${env.KEYS_DIR}, with which the link is made: KEYS_DIR names another, or there is none yet.` })
  t.notOk(existsSync(join(folder, 'signet.db')))
})

t.test('where there is no account page the token stands alone', async t => {
  const { env, folder } = await userOperator(t)
  const { child, ended } = startProgram([...plainNode('scripts/users-add.ts'), '--email', 'a@example.com'], { cwd: folder, env: { ...env, ACCOUNT_PAGE: 'false' } })
  child.stdin.end()
  t.match(await ended, { code: 0, out: /\nThis token for POST \/reset-password sets a password, once, until .*\n {2}[\w.-]+\n$/ })
})

t.test('at a terminal a person is asked before a user is deleted', { skip: existsSync('/usr/bin/script') ? false : 'there is no program that is a terminal' }, async t => {
  const { env, folder, run, stored } = await userOperator(t)
  await run('add', '--email', 'ada@example.com')
  const answer = async (said: string) => {
    const command = [...plainNode('scripts/users-delete.ts'), 'ada@example.com'].join(' ')
    const { child, output, ended } = startProgram(['/usr/bin/script', '-qec', command, '/dev/null'], { cwd: folder, env })
    while (!output.out.includes('Type yes to go on:')) await new Promise(resolve => { child.stdout.once('data', resolve) })
    child.stdin.end(`${said}\n`)
    return await ended
  }
  t.match(await answer('no'), { code: 1, out: /ada@example\.com is deleted for good\. Type yes to go on: [^]*Nothing was changed\./ })
  t.equal((await stored(async store => await store.searchUsers({}, '', 10))).length, 1)
  t.match(await answer('yes'), { code: 0, out: /Deleted\. In / })
  t.strictSame(await stored(async store => await store.searchUsers({}, '', 10)), [])
})

asRoot(() => {
  t.test('root makes links and records what was done where the ring and the store are a user\'s, who may not read the settings', async t => {
    const { run, ROOT } = programs()
    const ada = { uid: 21_001, gid: 21_001 }
    const folder = join(t.testdir(), 'data')
    mkdirSync(folder)
    chownSync(folder, ada.uid, ada.gid)
    const env = { DATABASE_URL: `file:${folder}/signet.db`, KEYS_DIR: join(folder, 'keys'), ISSUER: 'https://id.example' }
    const settings = join(t.testdirName, '.env')
    writeFileSync(settings, Object.entries(env).map(pair => pair.join('=')).join('\n'), { mode: 0o600 })
    t.match(await run(ROOT, 'scripts/keys-generate.ts', env), { code: 0 })
    const added = await run(ROOT, 'scripts/users-add.ts', {}, ['--email', 'ada@example.com'], t.testdirName)
    t.match(added, { code: 0, said: /^Added\. In [^]*\n {2}https:\/\/id\.example\/account#reset-password=[\w.-]+\n$/ })
    t.match(await run(ROOT, 'scripts/users-reset-password.ts', {}, ['ada@example.com'], t.testdirName), { code: 0, said: /#reset-password=/ })
    t.match(await run(ROOT, 'scripts/events-list.ts', {}, ['--kind', 'user', '--kind', 'password'], t.testdirName), { code: 0, said: /user\.added .*\n.*password\.reset_offered/ })
    t.strictSame([...new Set(readdirSync(folder).map(name => statSync(join(folder, name)).uid))], [ada.uid])
  })
})
