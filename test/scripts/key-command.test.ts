// What the commands on the key ring have in common: help, exit codes, JSON, the passphrase, the lock, and no secret in what they say.
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { withLock } from '../../src/keyring/ring-lock.js'
import { makeRing } from '../keyring/rings.js'
import type { Ending } from '../program.js'
import { COMMANDS, MINUTE, operator } from './operator.js'

t.test('every command explains itself, and wrong use is exit code 2', async t => {
  const { run } = await operator(t, 0)
  await Promise.all(COMMANDS.map(async command => {
    t.match(await run(command, '--help'), { code: 0, out: new RegExp(`Usage: npm run keys:${command}[^]*--json[^]*Exit code: 0`), err: '' }, command)
    t.match(await run(command, '--nonsense'), { code: 2, out: '', err: /^There is no option --nonsense\.\n\n[^]*Usage: npm run keys:/ }, command)
    t.match(await run(command, 'one', 'two'), { code: 2, out: '', err: /^This command takes .* id.*\n\n[^]*Usage:/ }, command)
  }))
  for (const [line, fault] of [
    ['rotate --chek http://x', 'There is no option --chek.'], ['list -x', 'There is no option -x.'], ['rotate --force=yes', 'The option --force takes no value.'],
    ['rotate --check', 'The option --check needs a value.'], ['generate --bits --json', 'The option --bits needs a value.'],
  ] as const) {
    const [command, ...args] = line.split(' ')
    t.match(await run(command!, ...args), { code: 2, out: '', err: `${fault}\n\n` }, line)
  }
  for (const line of ['generate --bits 1024', 'generate --bits 0x1000', 'generate --bits 2048 --refresh-secret', 'generate --bits 2048 --sealing', 'rotate --refresh-secret --sealing', 'rotate --check http://x --sealing', 'rotate --back --force', 'rotate --check http://x --refresh-secret', 'revoke']) {
    const [command, ...args] = line.split(' ')
    t.match(await run(command!, ...args), { code: 2, out: '' }, line)
  }
})

t.test('a command says what it cannot read, in words and as JSON', async t => {
  const { run, folder } = await operator(t)
  const sentence = `There is no key ring in ${folder}: make one with \`npm run keys:generate\`.`
  for (const command of ['rotate', 'list', 'prune']) {
    t.strictSame(await run(command), { code: 1, out: '', err: `${sentence}\n` }, command)
    const { code, out } = await run(command, '--json')
    t.strictSame([code, JSON.parse(out)], [1, { done: false, refused: 'error', message: sentence }], command)
  }
  t.match(await (await operator(t, 0, { KEY_PREPUBLISH: 'soon' })).run('list'), { code: 1, err: 'The setting KEY_PREPUBLISH must be from 0 to 315360000 seconds, in digits, or with a unit as in 90s, 10m, 12h or 14d.\n' })
  const loose = await operator(t, 0, { KEY_PREPUBLISH: '0' })
  chmodSync(loose.folder, 0o755)
  t.strictSame(await loose.run('rotate'), { code: 1, out: '', err: `${loose.folder} is open to others: chmod 700 ${loose.folder}\n` })
})

t.test('no command ever prints a private key or a secret', async t => {
  const { run, folder, ids } = await operator(t, 0)
  const active = (await ids())('active')
  const said = [await run('generate', '--replace', '--json'), await run('rotate', '--force', '--json'), await run('list', '--history', '--json'), await run('list', '--history'), await run('revoke', active, '--json')]
  const secrets = readdirSync(folder).filter(name => /^(signing|refresh|sealing)-/.test(name)).map(name => readFileSync(join(folder, name), 'utf8').trim().split('\n').slice(0, 2).at(-1)!)
  t.equal(secrets.length, 6)
  for (const { out, err } of said) t.notOk(secrets.some(secret => out.includes(secret) || err.includes(secret)) || /PRIVATE/.test(out + err))
})

t.test('a ring under a passphrase is rotated with it, and without it nothing changes', async t => {
  const { run, folder, states } = await operator(t)
  await makeRing({ folder, passphrase: 'a passphrase' }, Date.now() - 66 * MINUTE)
  t.match(await run('rotate'), { code: 1, out: '', err: /it is encrypted, so KEYS_PASSPHRASE_FILE must be set\.\n$/ })
  t.strictSame(await states(), ['active', 'next'])
  writeFileSync(join(t.testdirName, '.env'), 'KEYS_PASSPHRASE_FILE=passphrase\n')
  writeFileSync(join(t.testdirName, 'passphrase'), 'a passphrase\n', { mode: 0o600 })
  t.match(await run('rotate'), { code: 0, err: '' })
  t.strictSame(await states(), ['retired', 'active', 'next'])
})

t.test('of two commands at once one waits for the other and says so', async t => {
  const { run, states, folder, heard } = await operator(t, 66 * MINUTE)
  let waiting: Promise<Ending> | undefined
  await withLock(folder, { milliseconds: 0 }, async () => {
    waiting = run('rotate')
    while (heard.length === 0) await pause(20)
    t.strictSame(await states(), ['active', 'next'])
  })
  t.match(await waiting, { code: 0, err: 'Another command or server is changing the key ring; waiting for it.\n' })
  t.strictSame(await states(), ['retired', 'active', 'next'])
})
