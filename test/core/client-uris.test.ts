// Which URIs a client may have: what a browser may be sent to, in one spelling, and nothing that looks like it.
import t from 'tap'
import { redirectUriFault, uriFault } from '../../src/core/client-uris.js'

t.test('https anywhere and http on loopback are URIs of every client', async t => {
  for (const uri of [
    'https://app.example/callback', 'https://app.example/', 'https://app.example', 'https://app.example?tenant=1', 'https://app.example:8443/a/b/?x=1&y=%20', 'https://app.example/%7Eada/caf%C3%A9',
    'https://xn--mnchen-3ya.example/', 'https://192.0.2.1/', 'https://[2001:db8::1]/callback', 'https://localhost/', 'https://app.example/a//b', "https://app.example/!$&'()+,;=:@-._~",
    'http://127.0.0.1/callback', 'http://127.0.0.1:3000', 'http://[::1]:3000/callback', 'http://localhost:8080/?a',
  ]) t.equal(redirectUriFault(uri, 'web'), undefined, uri)
})

t.test('a scheme of an application\'s own is for those that run on the device, and has a dot', async t => {
  for (const uri of ['com.example.app:/callback', 'com.example.app://callback', 'com.example.app:callback', 'com.example.my-app:/a?b=c']) {
    t.equal(redirectUriFault(uri, 'web and applications'), undefined, uri)
    t.match(redirectUriFault(uri, 'web'), /^has a scheme of its own/, uri)
  }
  for (const uri of ['myapp:/callback', 'javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'blob:https://app.example/x', 'ftp://app.example/', 'ws://app.example/', 'urn:ietf:wg:oauth:2.0:oob', 'about:blank', 'vbscript:x', 'view-source:https://app.example/', 'JavaScript:alert(1)', 'mailto:a@b.example']) {
    t.match(redirectUriFault(uri, 'web and applications'), /^has the scheme [a-z-]+:, which is neither/i, uri)
  }
})

t.test('plain HTTP is for loopback alone, whatever looks like it', async t => {
  for (const host of ['app.example', 'localhost.example', '127.0.0.1.example', '127.0.0.2', 'localhost.', '0.0.0.0', '[::]', '[::ffff:127.0.0.1]', '[::2]', 'local', '169.254.169.254', 'xlocalhost']) t.match(redirectUriFault(`http://${host}/`, 'web'), /^is plain HTTP/, host)
})

t.test('what has another spelling is refused, and the one spelling is said', async t => {
  for (const [uri, spelling] of [
    ['HTTPS://app.example/', 'https://app.example/'], ['https://App.example/', 'https://app.example/'], ['https://app.example:443/', 'https://app.example/'], ['http://127.0.0.1:80/', 'http://127.0.0.1/'], ['http://127.1/', 'http://127.0.0.1/'],
    ['http://0x7f.0.0.1/', 'http://127.0.0.1/'], ['http://[0:0:0:0:0:0:0:1]/', 'http://[::1]/'], ['http://LOCALHOST/', 'http://localhost/'], ['https://[2001:DB8::1]/', 'https://[2001:db8::1]/'],
    ['https://app.example/a/../b', 'https://app.example/b'], ['https://app.example/./', 'https://app.example/'], ['https://app.example/a/%2e%2e/b', 'https://app.example/b'], ['https://app.example\\b', 'https://app.example/b'], ['https:app.example/', 'https://app.example/'], ['https:///app.example/', 'https://app.example/'],
    ['https://münchen.example/', 'https://xn--mnchen-3ya.example/'], ['https://ａpp.example/', 'https://app.example/'], ['https://app。example/', 'https://app.example/'], ['https://app\u00ad.example/', 'https://app.example/'],
    ['https://app.example/ü', 'https://app.example/%C3%BC'], ['https://app.example/\ud800', 'https://app.example/%EF%BF%BD'], ['https://app.example/a b', 'https://app.example/a%20b'], [' https://app.example/', 'https://app.example/'], ['https://app.example/\n', 'https://app.example/'], ['https://app.exa\tmple/', 'https://app.example/'],
    ['https://app.example:/', 'https://app.example/'], ['https://app.example:0443/', 'https://app.example/'], ['https://@app.example/', 'https://app.example/'], ['https://app.example/"', 'https://app.example/%22'], ['COM.example.app:/', 'com.example.app:/'], ['com.example.app:/a/../b', 'com.example.app:/b'], ['com.example.app:\u0000x', 'com.example.app:%00x'],
    ['https://app.example/?a=\'', 'https://app.example/?a=%27'], ['https://%61pp.example/', 'https://app.example/'],
  ] as const) t.equal(uriFault(uri, 'web and applications'), `has another spelling: write ${spelling}`, JSON.stringify(uri))
})

t.test('what is no URI, or is one with a part that no redirection may have, is refused', async t => {
  for (const uri of ['', '/callback', '//app.example/', 'app.example', 'https://', 'https://a b.example/', 'https://[::1', 'https://[fe80::1%25eth0]/', 'https://app.example:99999/', 'http://1.2.3.4.5/', '.com:/x', 'https://app.example%00/']) t.equal(redirectUriFault(uri, 'web and applications'), 'is no absolute URI', JSON.stringify(uri))
  for (const uri of ['https://app.example/#', 'https://app.example/#a', 'com.example.app:/#a', 'https://app.example#@evil.example/']) t.equal(redirectUriFault(uri, 'web and applications'), 'has a fragment', uri)
  for (const uri of ['https://*.app.example/', 'https://app.example/*', 'https://app.example/?a=*', 'com.example.app:*']) t.match(redirectUriFault(uri, 'web and applications'), /^has a \*/, uri)
  for (const uri of ['https://user@app.example/', 'https://user:password@app.example/', 'https://:password@app.example/', 'https://app.example@evil.example/', 'http://127.0.0.1@evil.example/', 'com.example.app://user@host/']) t.equal(redirectUriFault(uri, 'web and applications'), 'names a user', uri)
  for (const uri of ['https://app.example/|', 'https://app.example/%', 'https://app.example/%zz', 'https://app.example/?a=[]{}', 'com.example.app:a b', 'https://app.example/?`']) t.equal(redirectUriFault(uri, 'web and applications'), 'has a character that must be percent-encoded', uri)
  // Which of the two it is depends on the version of Node.js.
  t.match(redirectUriFault('https://app.example/^', 'web'), /^has (a character that must be percent-encoded|another spelling: write https:\/\/app\.example\/%5E)$/)
})

t.test('a URI has at most a thousand characters', async t => {
  const longest = `https://app.example/${'a'.repeat(980)}`
  t.equal(redirectUriFault(longest, 'web'), undefined)
  t.equal(redirectUriFault(`${longest}a`, 'web'), 'is longer than 1000 characters')
})

t.test('a redirect URI has no parameter that an answer has', async t => {
  for (const name of ['code', 'state', 'iss', 'error', 'error_description', 'error_uri', '%63ode']) t.match(redirectUriFault(`https://app.example/?a=1&${name}=x`, 'web'), /^has a parameter (code|state|iss|error|error_description|error_uri) of its own/, name)
  t.match(redirectUriFault('com.example.app:/?state', 'web and applications'), /^has a parameter state/)
  t.equal(redirectUriFault('https://app.example/?codes=1&Code=2', 'web'), undefined)
  t.equal(uriFault('https://app.example/jwks?state=1', 'web'), undefined, 'other URIs may')
})
