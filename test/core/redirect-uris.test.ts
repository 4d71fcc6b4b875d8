// Which addresses are those that a client registered, and which are only like them.
import fc from 'fast-check'
import t from 'tap'
import { isRedirectUriOf, withParameters } from '../../src/core/redirect-uris.js'

const WEB = 'https://app.example/callback?from=signet'

t.test('an address is a client\'s character by character', async t => {
  t.ok(isRedirectUriOf([WEB], WEB))
  t.ok(isRedirectUriOf(['https://other.example/', 'com.example.app:/callback', WEB], 'com.example.app:/callback'))
  t.notOk(isRedirectUriOf([], WEB))
})

t.test('nothing that is like a client\'s address is it', async t => {
  for (const near of [
    '', ' ', ` ${WEB}`, `${WEB} `, `${WEB}\n`, `${WEB}/`, `${WEB}#`, `${WEB}#fragment`, `${WEB}&more=1`, WEB.slice(0, -1),
    'HTTPS://app.example/callback?from=signet', 'https://APP.example/callback?from=signet', 'https://app.example/Callback?from=signet',
    'http://app.example/callback?from=signet', 'https://app.example:443/callback?from=signet', 'https://app.example:8443/callback?from=signet', 'https://app.example:/callback?from=signet',
    'https://app.example/callback', 'https://app.example/callback/?from=signet', 'https://app.example//callback?from=signet', 'https://app.example/callback/../callback?from=signet',
    'https://app.example/./callback?from=signet', 'https://app.example/%63allback?from=signet', 'https://app.example/callback%2f?from=signet', 'https://app.example/callback?from=signe%74', 'https://app.example\\callback?from=signet',
    'https://user@app.example/callback?from=signet', 'https://app.example@evil.example/callback?from=signet', 'https://evil.example/https://app.example/callback?from=signet',
    'https://sub.app.example/callback?from=signet', 'https://app.example.evil.example/callback?from=signet', 'https://app.example./callback?from=signet', 'https://evilapp.example/callback?from=signet', 'https://аpp.example/callback?from=signet',
    '//app.example/callback?from=signet', '/callback?from=signet', 'javascript:alert(1)',
  ]) t.notOk(isRedirectUriOf([WEB], near), near)
})

t.test('a loopback address may have any port that there is, whatever port was registered', async t => {
  for (const registered of ['http://127.0.0.1/cb?a=1', 'http://127.0.0.1:5000/cb?a=1']) {
    for (const port of ['', ':1', ':80', ':49152', ':65535']) t.ok(isRedirectUriOf([registered], `http://127.0.0.1${port}/cb?a=1`), `${registered} ${port}`)
  }
  for (const host of ['[::1]', 'localhost']) t.ok(isRedirectUriOf([`http://${host}/cb`], `http://${host}:4000/cb`))
  for (const bare of ['http://127.0.0.1', 'http://127.0.0.1?a=1']) t.ok(isRedirectUriOf([bare], bare.replace('127.0.0.1', '127.0.0.1:4000')), bare)
})

t.test('a loopback address is as exact as another in all but its port', async t => {
  const registered = ['http://127.0.0.1/cb', 'http://[::1]:3000/six', 'http://localhost/name']
  for (const near of [
    'http://127.0.0.1:0/cb', 'http://127.0.0.1:00/cb', 'http://127.0.0.1:65536/cb', 'http://127.0.0.1:99999/cb', 'http://127.0.0.1:655350/cb', 'http://127.0.0.1:/cb', 'http://127.0.0.1:-1/cb', 'http://127.0.0.1:8a/cb', 'http://127.0.0.1:٣/cb',
    'http://127.0.0.1:4000', 'http://127.0.0.1:4000/', 'http://127.0.0.1:4000/CB', 'http://127.0.0.1:4000/cb/', 'http://127.0.0.1:4000/cb?a=1', 'http://127.0.0.1:4000/cb#', 'http://127.0.0.1:4000/%63b', 'http://127.0.0.1:4000//cb', 'http://127.0.0.1:4000/x/../cb', 'http://127.0.0.1:4000/cb\n',
    'https://127.0.0.1:4000/cb', 'HTTP://127.0.0.1:4000/cb', 'http:/127.0.0.1:4000/cb',
    'http://localhost:4000/cb', 'http://[::1]:4000/cb', 'http://127.0.0.1:4000/six', 'http://LOCALHOST:4000/name',
    'http://127.0.0.2:4000/cb', 'http://127.1:4000/cb', 'http://2130706433:4000/cb', 'http://0x7f.0.0.1:4000/cb', 'http://127.0.0.1.:4000/cb', 'http://localhost.:4000/name',
    'http://[0:0:0:0:0:0:0:1]:4000/six', 'http://[::ffff:127.0.0.1]:4000/six', 'http://[::1%25lo]:4000/six', 'http://::1:4000/six', 'http://[::1]4000/six',
    'http://127.0.0.1.evil.example:4000/cb', 'http://localhost.evil.example/name', 'http://localhost.evil:4000/name', 'http://evil.localhost:4000/name',
    'http://user@127.0.0.1:4000/cb', 'http://127.0.0.1:4000@evil.example/cb', 'http://127.0.0.1:80:4000/cb', 'http://127.0.0.1\\@evil.example/cb', 'http://127.0.0.1:4000\\@evil.example/cb', 'http://evil.example/http://127.0.0.1/cb',
  ]) t.notOk(isRedirectUriOf(registered, near), near)
  t.notOk(isRedirectUriOf(['http://app.example/cb'], 'http://app.example:4000/cb'), 'a port is free for loopback addresses alone')
})

t.test('whatever is taken for a loopback address leads to the host that was registered', async t => {
  const part = fc.constantFrom('http://', '127.0.0.1', '[::1]', 'localhost', ':', '4000', '0', '/', 'cb', '?', '#', '@', '\\', '.', 'evil.example', '%', '\t', ' ')
  fc.assert(fc.property(fc.array(part, { maxLength: 9 }).map(parts => `http://127.0.0.1${parts.join('')}`), uri => {
    if (!isRedirectUriOf(['http://127.0.0.1/cb', 'http://127.0.0.1'], uri)) return
    const { hostname, username, hash } = new URL(uri)
    t.strictSame({ hostname, username, hash }, { hostname: '127.0.0.1', username: '', hash: '' }, uri)
  }), { numRuns: 5_000 })
})

t.test('an answer is added to the query that is there, and what is not there is not added', async t => {
  t.equal(withParameters('https://app.example/cb', { code: 'a b&c', state: undefined, iss: 'https://signet.example' }), 'https://app.example/cb?code=a+b%26c&iss=https%3A%2F%2Fsignet.example')
  t.equal(withParameters(WEB, { state: '%' }), `${WEB}&state=%25`)
  t.equal(withParameters('com.example.app:/cb', { state: 'a' }), 'com.example.app:/cb?state=a')
  t.equal(withParameters(WEB, { state: undefined }), WEB)
})
