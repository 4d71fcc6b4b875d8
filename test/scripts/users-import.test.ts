// The import as an operator meets it: interrupted and gone on with, rehearsed, refused; beside a server that runs.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { openStore } from '../../src/store/open-store.js'
import { plainNode } from '../compiled.js'
import { HASHES, PASSWORD } from '../foreign-hashes.js'
import { startProgram } from '../program.js'
import { run as runServer, settings } from '../server-process.js'
import { freshDatabase, withMongoDb } from '../store/mongo-server.js'

const FILES = resolve('test/imports')

function operator (t: Test, url?: string) {
  const folder = t.testdir()
  const databaseUrl = url ?? `file:${join(folder, 'signet.db')}`
  const start = (...args: string[]) => startProgram([...plainNode('scripts/users-import.ts'), ...args], { cwd: folder, env: { DATABASE_URL: databaseUrl } })
  const run = async (...args: string[]) => {
    const { child, ended } = start(...args)
    child.stdin.end()
    return await ended
  }
  const json = async (...args: string[]) => {
    const { code, out } = await run(...args, '--json')
    return { code, ...JSON.parse(out) as Record<string, unknown> }
  }
  const count = async () => {
    const store = await openStore(databaseUrl)
    try {
      let count = 0
      for (let page = await store.listUsers('', 1000); page.length > 0; page = await store.listUsers(page.at(-1)!.id, 1000)) count += page.length
      return count
    } finally {
      await store.close()
    }
  }
  return { folder, databaseUrl, start, run, json, count }
}

function proveImport (urlFor: (t: Test) => string | undefined): void {
  t.test('users are imported beside a server that runs, and log in', async t => {
    const { run, json, databaseUrl } = operator(t, urlFor(t))
    const server = runServer(t, { ...settings(t, { LOG_LEVEL: 'info' }), DATABASE_URL: databaseUrl })
    const url = await server.ready()
    t.match(await json(join(FILES, 'keycloak.json')), { code: 1, done: true, format: 'keycloak', entries: 6, added: 4, there: 0, refused: 2, without_password: 0, refusals: { password_missing: { count: 1, lines: [131] }, email_missing: { count: 1, lines: [150] } } })
    const answer = await fetch(`${url}/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email: 'ada@example.com', password: PASSWORD }) })
    t.equal(answer.status, 200)
    t.match(await run(join(FILES, 'keycloak.json')), { code: 1, out: '', err: /: 6 entries: 0 added, 4 there before, 2 refused\.\nThe file was read as one of keycloak \(--format\)\.\nRefused:\n {2}1 {2}password_missing {2}line 131 {2}It has no password; --without-password takes it\.\n/ })
    t.match(await json(join(FILES, 'keycloak.json'), '--without-password'), { code: 1, added: 1, there: 4, without_password: 1, refused: 1 })
    t.equal((await server.end('SIGTERM')).code, 0)
  })
}

proveImport(() => undefined)
withMongoDb(server => { proveImport(t => freshDatabase(t, server)) })

t.test('an import that is killed at any moment is finished by the same command', async t => {
  const { folder, start, json, count } = operator(t)
  const file = join(folder, 'users.jsonl')
  const total = 4000
  writeFileSync(file, Array.from({ length: total }, (_, at) => `${JSON.stringify({ email: `user${at}@example.com`, ...(at % 2 && { id: at }), password_hash: HASHES.argon2id })}\n`).join(''))
  // Fed by hand, so that it is in the midst of it.
  for (const part of [700, 2300]) {
    const { child, ended } = start('-')
    child.stdin.write(readFileSync(file, 'utf8').split('\n').slice(0, part).join('\n'))
    while (!existsSync(join(folder, 'signet.db')) || await count() < Math.floor(part / 500) * 500) await new Promise(resolve => setTimeout(resolve, 50))
    child.kill('SIGKILL')
    await ended
  }
  t.equal(await count(), 2000)
  t.match(await json(file), { code: 0, added: 2000, there: 2000, refused: 0 })
  t.match(await json(file), { code: 0, added: 0, there: total, refused: 0 })
  t.equal(await count(), total)
})

t.test('a rehearsal changes nothing, not even where there is no store', async t => {
  const { folder, json, run } = operator(t)
  t.match(await json(join(FILES, 'django.json'), '--dry-run'), { code: 1, done: false, dry_run: true, format: 'django', added: 6, refused: 2 })
  t.notOk(existsSync(join(folder, 'signet.db')))
  t.match(await run(join(FILES, 'auth0-hashes.ndjson'), '--dry-run'), { code: 0, out: /^Nothing was changed in .*signet\.db\. It would be: 2 entries: 2 added, 0 there before, 0 refused\.\nThe file was read as one of auth0 \(--format\)\.\n$/ })
})

t.test('each refusal is written where it is wanted, for nobody else to read; Firebase\'s parameters come from a file', async t => {
  const { folder, json, run } = operator(t)
  const refusals = join(folder, 'refusals.jsonl')
  t.match(await json(join(FILES, 'firebase.json'), '--refusals', refusals, '--source', 'shop'), { code: 1, added: 1, refused: 2 })
  t.strictSame(readFileSync(refusals, 'utf8').trim().split('\n').map(line => JSON.parse(line) as object), [
    { line: 3, entry: 1, email: 'ada@example.com', reason: 'hash_parameters_missing', message: 'It has a hash that needs the parameters of its project: --firebase-hash-config.' },
    { line: 25, entry: 3, email: 'pat@example.com', reason: 'password_missing', message: 'It has no password; --without-password takes it.' },
  ])
  const unknown = join(folder, 'unknown.jsonl')
  writeFileSync(unknown, JSON.stringify({ email: 'ada@example.com', passwordhash: '' }))
  t.match(await run(unknown, '--dry-run'), { code: 1, err: /Members: "passwordhash"\.\n$/ })
  t.equal(statSync(refusals).mode & 0o777, 0o600)
  t.match(await json(join(FILES, 'firebase.json'), '--refusals', refusals), { code: 1, done: false, refused: 'error', message: /^The file .*refusals\.jsonl cannot be made: / }, 'and no other file is written over')
  t.match(await json(join(FILES, 'firebase.json'), '--source', 'shop', '--firebase-hash-config', join(FILES, 'firebase-hash-config.txt')), { code: 1, added: 1, there: 1, refused: 1 })
  t.match(await json(join(FILES, 'firebase.json'), '--firebase-hash-config', join(FILES, 'users.jsonl')), { code: 1, done: false, message: /does not hold base64_signer_key/ })
})

t.test('several files are read as one, and a refusal names its own', async t => {
  const { folder, json, run } = operator(t)
  const files = [0, 1].map(at => join(FILES, `shop-users-${at}.json`)) as [string, string]
  const refusals = join(folder, 'refusals.jsonl')
  t.match(await json(...files, '--refusals', refusals), { code: 1, format: 'keycloak', entries: 5, added: 4, refused: 1, refusals: { password_missing: { count: 1, lines: [4], files: [files[1]] } } })
  t.match(JSON.parse(readFileSync(refusals, 'utf8')), { file: files[1], line: 4, entry: 3, email: 'nopassword@example.com', reason: 'password_missing' })
  t.match(await run(...files, files[0]), { code: 1, err: `2  repeated          lines ${files[0]}:4, ${files[0]}:37  It has` })
  t.match(await json(...files, join(folder, 'nowhere')), { code: 1, done: false, message: /^The file .*nowhere cannot be read: / }, 'before anything is written')
})

t.test('wrong use is told so, and what cannot be read', async t => {
  const { folder, run, json } = operator(t)
  t.match(await run(), { code: 2, err: /^This command takes one file, or several\.\n/ })
  t.match(await run('a', '--format', 'xml'), { code: 2, err: /^The option --format is one of jsonl, auth0, firebase, keycloak, supabase, django\.\n/ })
  t.match(await run('--help'), { code: 0, out: /^Brings the users of another system along/ })
  t.match(await json(join(folder, 'nowhere')), { code: 1, message: /cannot be read: / })
  t.match(await json(folder), { code: 1, done: false, message: `The file ${folder} cannot be read: it is a folder.` })
  writeFileSync(join(folder, 'broken.jsonl'), '{"email":\n{"email":"ada@example.com","password_hash":"$2b$04$EeWJ9jvLVoP8RQPx79/p/e3wrNxhhheS/3.7yIuE82beQOv9sv.wa"}\n')
  t.match(await json(join(folder, 'broken.jsonl'), '--format', 'jsonl'), { code: 1, added: 1, refused: 1, refusals: { not_json: { count: 1, lines: [1] } } })
})
