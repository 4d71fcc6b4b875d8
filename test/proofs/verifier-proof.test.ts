// The proof of the verifiers: what it says of a right one and of wrong ones; what needs a download is for `npm run prove:verifiers`.
import { readFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { join, resolve } from 'node:path'
import t from 'tap'
import { badTokens, goodTokens } from './bad-tokens.js'
import { EXAMPLES, type Example } from './verifier-examples.js'
import { BAD_LISTS } from './status-lists.js'
import { examineStatuses } from './status-proof.js'
import { examineTokens, proveVerifiers, type Verdict } from './verifier-proof.js'
import type { Command } from '../program.js'
import { compiled } from '../compiled.js'
import { run, SERVER, settings } from '../server-process.js'

const COMMAND: Command = [process.execPath, `--import=${new URL('../typescript.js', import.meta.url).href}`, resolve('test/proofs/prove-verifiers.ts')]
const JWT = Buffer.from('{}').toString('base64url')
const INGREDIENTS = { access: `${JWT}.${JWT}.AAAA`, refresh: '', privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, attackerUrl: '', now: 0 }
const BAD = Object.keys(badTokens(INGREDIENTS))
const GOOD = Object.keys(goodTokens(INGREDIENTS))

/** A verifier as the body of a function from `token` to its subject, which may await. */
function verifier (language: string, body: string): Example {
  const program = `
    const { createInterface } = await import('node:readline')
    const jose = await import('jose')
    const { JWKS_URL, ISSUER: issuer, AUDIENCE: audience } = process.env
    const keys = jose.createRemoteJWKSet(new URL(JWKS_URL))
    const verify = async token => { ${body} }
    for await (const token of createInterface({ input: process.stdin })) {
      console.log(await verify(token).then(sub => 'accepted ' + sub, error => 'refused ' + JSON.stringify(error.message)))
    }`
  return { language, folder: '.', needs: ['node'], build: [], run: ['node', '--input-type=module', '--eval', program] }
}

const ASKED_ATTACKER = 'asked a server of an attacker, to which a token or a list pointed'

const RIGHT = '(await jose.jwtVerify(token, keys, { algorithms: ["RS256"], typ: "at+jwt", issuer, audience, requiredClaims: ["exp", "sub"] })).payload.sub'

/** The one for Node as it is. Without its build, jose is the one that Signet itself has. */
const NODE: Example = { ...EXAMPLES.find(({ language }) => language === 'node')!, build: [] }

/** What each did wrong, whoever the subject was. */
function wrongs (verdicts: Verdict[]): Record<string, string[]> {
  return Object.fromEntries(verdicts.map(({ language, wrong }) => [language, wrong.map(sentence => sentence.replace(/[\da-f-]{36}$/, 'SUB'))]))
}

t.test('the verifier for Node is right', async t => {
  const [verdict] = await proveVerifiers({ examples: [NODE], command: SERVER })
  t.match(verdict, { missing: [], wrong: [] })
  t.ok(verdict!.checked > 250)
})

t.test('@signet/verifier is right, too', async t => {
  const program = `
    const options = { jwksUri: JWKS_URL, issuer, audience, onStatusUnchecked: ({ status }, cause) => { console.error(status.status_list.uri, cause.message) } }
    globalThis.verifier ??= (await import(${JSON.stringify(compiled('src/verifier/verifier.ts'))})).createVerifier(options)
    return (await globalThis.verifier.verify(token)).sub`
  const [verdict] = await proveVerifiers({ examples: [verifier('package', program)], command: SERVER })
  t.match(verdict, { missing: [], wrong: [] })
  t.ok(verdict!.checked > 250)
})

t.test('the proof sees what verifiers do wrong with a token', async t => {
  const examples = [
    verifier('credulous', 'globalThis.sub ??= jose.decodeJwt(token).sub; return globalThis.sub'),
    verifier('forgetful', 'return (await jose.jwtVerify(token, keys, { issuer, audience })).payload.sub'),
    verifier('misled', `
      const { jwk, jku } = jose.decodeProtectedHeader(token)
      if (jwk) return (await jose.jwtVerify(token, await jose.importJWK(jwk, 'RS256'))).payload.sub
      if (jku) return (await jose.jwtVerify(token, jose.createRemoteJWKSet(new URL(jku)))).payload.sub
      return ${RIGHT}`),
    verifier('confused', `
      if (jose.decodeProtectedHeader(token).alg !== 'HS256') return ${RIGHT}
      const { keys: [key] } = await (await fetch(JWKS_URL)).json()
      const pem = await jose.exportSPKI(await jose.importJWK(key))
      return (await jose.jwtVerify(token, new TextEncoder().encode(pem))).payload.sub`),
    verifier('curious', `
      const { status } = jose.decodeJwt(token)
      if (status) await fetch(JWKS_URL.replace('/.well-known/jwks.json', status.status_list.uri.replace(issuer, '')))
      return ${RIGHT}`),
    verifier('suspicious', 'throw new Error("no")'),
    verifier('mistaken', `await ${RIGHT}; return 'somebody'`),
    verifier('brittle', `if (token === '') process.exit(3); return ${RIGHT}`),
    verifier('talkative', `globalThis.isTold ??= process.once('exit', () => { console.log('bye') }); return ${RIGHT}`),
  ]
  const verdicts = await proveVerifiers({ examples, command: SERVER, examine: [examineTokens] })
  const accepts = (...whats: string[]) => whats.map(what => `did not refuse a token that ${what}: accepted SUB`)
  const doesNotAccept = (answer: string) => ['', ...GOOD.map(what => ` ${what}`), ' after the bad ones'].map(what => `did not accept a good token${what}: ${answer}`)
  t.match(verdicts[0], { missing: [], checked: BAD.length + GOOD.length + 2 })
  t.strictSame(wrongs(verdicts), {
    credulous: accepts(...BAD),
    forgetful: [...accepts('has no expiry'), 'did not refuse a token that has no subject: accepted undefined', ...accepts('has the type JWT', 'has no type')],
    misled: [
      ...accepts('is signed by another key, which it holds, under our id', 'is signed by another key, which it holds'),
      ...accepts('is signed by another key, to which its jku points, under our id', 'is signed by another key, to which its jku points'),
      ASKED_ATTACKER,
    ],
    confused: accepts('is signed with HS256 and the PEM of our public key without its last line break'),
    curious: ['asked for the list of a token that is bad without it'],
    suspicious: doesNotAccept('refused "no"'),
    mistaken: doesNotAccept('accepted somebody'),
    brittle: ['gave no answer to a token that is empty: ended with code 3'],
    talkative: ['did not end well when its input did: said bye'],
  })
})

/** The verifier for Node with its lookup of lists changed, as a folder. */
function changed (changes: Array<[from: string, to: string]>): Record<string, string> {
  const { 'status-lists.js': source, ...others } = Object.fromEntries(['package.json', 'main.js', 'verifier.js', 'status-lists.js'].map(file => [file, readFileSync(join(NODE.folder, file), 'utf8')]))
  const text = changes.reduce((text, [from, to]) => {
    t.ok(text.includes(from), from)
    return text.replace(from, to)
  }, source!)
  return { ...others, 'status-lists.js': text }
}

t.test('the proof sees what verifiers do wrong with a status', async t => {
  const folder = t.testdir({
    careless: changed([['if (status === undefined) return', 'return']]),
    mirrored: changed([['(idx & 7)', '(7 - (idx & 7))']]),
    incurious: changed([['subject: uri, ', ''], ["typ: 'statuslist+jwt', ", '']]),
    boundless: changed([['{ maxOutputLength: LARGEST_LIST }', '{}'], ['length > LONGEST_ANSWER', 'false']]),
    trusting: changed([['const isOurs =', 'const isOurs = uri?.startsWith?.("http:") ||'], ['base + uri.slice(origin.length)', 'uri.replace(origin, base)']]),
    forgetful: changed([['list.until = failed', 'list.bits = undefined; list.until = failed']]),
    lazy: changed([['list.until = start + list.ttl * 1000', 'list.until = Infinity'], ['idx >= list.bits.length * 8', 'false']]),
    hasty: changed([['performance.now() >= list.until', 'true'], ['console.error', 'void']]),
  })
  // They wait more than they work.
  const halves = [['careless', 'mirrored', 'incurious', 'boundless'], ['trusting', 'forgetful', 'lazy', 'hasty']]
  const verdicts = await Promise.all(halves.map(async half => {
    const examples = half.map(language => ({ ...NODE, language, folder: join(folder, language) }))
    return await proveVerifiers({ examples, command: SERVER, examine: [examineStatuses] })
  }))
  const { careless, mirrored, ...others } = wrongs(verdicts.flat())
  const revoked = 'refused "the token was revoked"'
  const accepts = (...whats: string[]) => whats.map(what => `did not refuse a token ${what}: accepted SUB`)
  const beyond = accepts('with the index after the last', 'whose index is one of the list once it is cut to 32 bits', 'whose index is the largest that JSON can be trusted with')
  const clearedBy = (what: string) => `that is closed, and live only in a list that ${what}`
  const believes = (...whats: string[]) => [
    ...whats.map(what => `did not accept a token that is closed only in a list that ${what}: ${revoked}`),
    ...whats.flatMap(what => [...accepts(clearedBy(what)), `did not accept a token that is not closed, or only in a list that ${what}: ${revoked}`]),
  ]
  t.strictSame(careless!.slice(0, 5), [...accepts('that is closed', 'that is closed, with the last index'), ...beyond])
  t.strictSame(mirrored!.slice(0, 4), [
    `did not accept a token that is not closed: ${revoked}`,
    ...accepts('that is closed', 'that is closed, with the last index'),
    `did not accept a token that is not closed, after the others: ${revoked}`,
  ])
  t.strictSame(others, {
    incurious: believes('is that of another number', 'has no subject', 'has the type at+jwt', 'has the type JWT', 'has no type'),
    boundless: believes('inflates to a byte more than 8 MiB', 'is longer than 16 MiB'),
    trusting: [...accepts("with a status whose list is an attacker's"), ASKED_ATTACKER],
    forgetful: accepts('that is closed in the last list, which has expired', ...Object.keys(BAD_LISTS).map(clearedBy)),
    lazy: [...beyond, ...accepts('that was closed since'), ...Object.keys(BAD_LISTS).map(what => `did not ask again for a list whose ttl was over, before one that ${what}`)],
    hasty: ['asked for a list again before its ttl was over', 'asked for a list that cannot be had for every token', 'did not say that it went on without a list'],
  })
})

t.test('a verifier that does not answer is ended in time', async t => {
  const [verdict] = await proveVerifiers({ examples: [verifier('silent', 'await new Promise(resolve => setTimeout(resolve, 60_000))')], command: SERVER, checkLimitMs: 1_000 })
  t.strictSame(verdict!.wrong, ['gave no answer to a good token: was ended after 1 s'])
})

t.test('a verifier that cannot be built is wrong, and one whose programs are not there is skipped', async t => {
  const example = verifier('any', RIGHT)
  const examples: Example[] = [
    { ...example, build: [['node', '--eval', 'console.log("no such module"); process.exit(1)']] },
    { ...example, needs: ['node', 'no-such-program', 'nor-such'], build: [['no-such-program']] },
  ]
  // Nothing is left to check, so nothing is started.
  t.match(await proveVerifiers({ examples, command: ['no-such-program'] }), [
    { missing: [], wrong: ['could not be built: no such module'], checked: 0 },
    { missing: ['no-such-program', 'nor-such'], wrong: [], checked: 0 },
  ])
})

t.test('the command says what it skipped, and that nothing could be checked', async t => {
  const env = { ...settings(t), PATH: '' }
  t.strictSame(await run(t, env, [...COMMAND, '--only', 'java,python']).ended, { code: 1, out: 'SKIPPED: python, for this machine has no python3.\nSKIPPED: java, for this machine has no javac and no mvn.\n', err: '' })
})

t.test('the command explains itself, and wrong use is answered with what is wrong', async t => {
  const env = settings(t)
  const ends = await Promise.all([['--help'], ['--only', 'cobol'], ['--nonsense']].map(async args => await run(t, env, [...COMMAND, ...args]).ended))
  t.match(ends, [{ code: 0, out: /^Builds the verifiers/, err: '' }, { code: 2, out: '', err: /^--only is some of node,[^]*\nBuilds the verifiers/ }, { code: 2, out: '', err: /^Unknown option '--nonsense'[^]*\nBuilds/ }])
})

t.test('the README of the examples shows the commands that are proved', async t => {
  const readme = readFileSync('examples/verify/README.md', 'utf8')
  for (const { build, run } of EXAMPLES) t.ok(readme.includes(`\`${[...build, run].map(command => command.join(' ')).join(' && ')}\``), run.join(' '))
})
