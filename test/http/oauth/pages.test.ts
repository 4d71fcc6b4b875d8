// How the pages of OAuth are served: fenced in as every page of Signet's, kept by nobody, and with nothing in them that is not from Signet.
import Fastify from 'fastify'
import t from 'tap'
import { Pages } from '../../../src/http/oauth/pages.js'
import { SCOPE_WORDS, wordsOf } from '../../../src/http/public/scope-words.js'
import { STANDARD_SCOPES } from '../../../src/core/scopes.js'
import { testApp } from '../../test-app.js'

const NAMES = ['log-in', 'consent', 'go-on', 'log-out', 'told'] as const
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

t.test('each page, and all that it loads, come from Signet under a policy that allows nothing else, and a window that a client opened can come back', async t => {
  const paper = Fastify()
  t.teardown(async () => { await paper.close() })
  const pages = new Pages({ password_min_length: '12', account: 'account', registration: 'open' })
  for (const name of NAMES) paper.get(`/${name}`, (_request, reply) => pages.send(reply, name, { client: 'Reading list', address: 'authorize?a=b', may: ['See your name'] }, 418))
  const { app } = await testApp(t)
  for (const name of NAMES) {
    const answer = await paper.inject(`/${name}`)
    t.equal(answer.statusCode, 418)
    t.match(answer.headers, {
      'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'content-security-policy': POLICY, 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'unsafe-none', 'cross-origin-resource-policy': 'same-origin',
    }, name)
    t.notMatch(answer.body, /\{\{|<style|<script(?! type="module" src)|\sstyle=|\son\w+=|https?:/, name)
    const loaded = [...answer.body.matchAll(/(?:href|src)="(oauth\/[^"]+)"/g)].map(([, path]) => `/${path}`)
    t.ok(loaded.length > 1)
    for (const url of loaded) t.equal((await app.inject(url)).statusCode, 200, url)
    t.equal(loaded.some(path => path.endsWith('.js')), name !== 'go-on' && name !== 'told', `${name} has a script, or none`)
  }
})

t.test('every scope that each client may ask for has words of its own, and any other is named', async t => {
  t.strictSame(Object.keys(SCOPE_WORDS), STANDARD_SCOPES)
  t.strictSame(['email', 'lists:write', 'constructor'].map(wordsOf), ['See your e-mail address', 'Use “lists:write”', 'Use “constructor”'])
})
