// The claims of an access token, and how one is found in a text.
import t from 'tap'
import { accessTokenClaims, clientTokenClaims, isAccessTokenClaims, ownTokenClaims, replaceJwts } from '../../src/core/access-token.js'

t.test('an access token has the claims of RFC 9068, its family and the time of the log-in, in seconds', async t => {
  const settings = { issuer: 'https://signet.example', audience: 'api', clientId: 'web', ttl: 600 }
  const claims = { iss: 'https://signet.example', aud: 'api', sub: 'user', client_id: 'web', sid: 'family', jti: 'id', iat: 2000, exp: 2600, auth_time: 1000 }
  const subject = { userId: 'user', familyId: 'family', authenticatedAt: 1_000_999 }
  t.strictSame(accessTokenClaims({ ...subject, roles: [] }, 'id', 2_000_999, settings), claims)
  t.strictSame(accessTokenClaims({ ...subject, roles: ['admin', 'staff'] }, 'id', 2_000_999, settings), { ...claims, roles: ['admin', 'staff'] })
})

const SETTINGS = { issuer: 'https://signet.example', audience: 'api', clientId: 'web', ttl: 600 }

t.test('a client\'s token of a family names the client, the scope and the audience that it has, of one its name', async t => {
  const subject = { userId: 'user', familyId: 'family', authenticatedAt: 1_000_999, roles: [], status: { status_list: { idx: 1, uri: 'https://signet.example/status-lists/0' } } }
  const claims = { iss: 'https://signet.example', aud: 'one', sub: 'user', client_id: 'client', sid: 'family', jti: 'id', iat: 2000, exp: 2600, auth_time: 1000, status: subject.status, scope: 'openid read' }
  t.strictSame(clientTokenClaims(subject, { clientId: 'client', audience: ['one'], scope: 'openid read' }, 'id', 2_000_999, SETTINGS), claims)
  t.strictSame(clientTokenClaims(subject, { clientId: 'client', audience: ['one', 'two'], scope: 'openid read' }, 'id', 2_000_999, SETTINGS), { ...claims, aud: ['one', 'two'] })
  t.notOk('scope' in clientTokenClaims(subject, { clientId: 'client', audience: ['one'], scope: '' }, 'id', 2_000_999, SETTINGS))
})

t.test('a client\'s token for itself is of no log-in', async t => {
  const claims = { iss: 'https://signet.example', aud: 'one', sub: 'client', client_id: 'client', jti: 'id', iat: 2000, exp: 2600 }
  t.strictSame(ownTokenClaims({ clientId: 'client', audience: ['one'], scope: '' }, 'id', 2_000_999, SETTINGS), claims)
  t.strictSame(ownTokenClaims({ clientId: 'client', audience: ['one', 'two'], scope: 'read' }, 'id', 2_000_999, SETTINGS), { ...claims, aud: ['one', 'two'], scope: 'read' })
  t.ok(isAccessTokenClaims(claims))
})

t.test('a payload is of an access token when every claim is there and of its type', async t => {
  const claims = { iss: 'https://signet.example', aud: 'api', sub: 'user', client_id: 'web', sid: 'family', jti: 'id', iat: 2000, exp: 2600, auth_time: 1000 }
  for (const good of [claims, { ...claims, nbf: 2000 }, { ...claims, more: null }]) t.ok(isAccessTokenClaims(good))
  for (const [name, value] of Object.entries(claims)) {
    for (const wrong of [undefined, null, '', true, [value], { value }, typeof value === 'string' ? 1 : '2000'].filter(wrong => name !== 'aud' || !Array.isArray(wrong)).concat(name === 'aud' ? [[], ['api', ''], ['api', 1], [['api']]] as never : [])) t.notOk(isAccessTokenClaims({ ...claims, [name]: wrong }), `${name} ${JSON.stringify(wrong)}`)
  }
  for (const good of [{ aud: ['api', 'other'] }, { scope: 'openid' }, { roles: ['admin', 'staff'] }]) t.ok(isAccessTokenClaims({ ...claims, ...good }))
  for (const scope of ['', null, 1, ['openid']]) t.notOk(isAccessTokenClaims({ ...claims, scope }))
  for (const roles of [null, 'admin', [''], ['admin', 1], { admin: true }]) t.notOk(isAccessTokenClaims({ ...claims, roles }))
  for (const nbf of ['2000', true, [2000]]) t.notOk(isAccessTokenClaims({ ...claims, nbf }))
  for (const payload of [null, undefined, 'text', 1, [claims]]) t.notOk(isAccessTokenClaims(payload))
})

t.test('a JWT is replaced wherever it stands in a text, and nothing else is', async t => {
  for (const [text, replaced] of [
    ['eyJhbGciOi.eyJpc-_3.c2ln', '-'],
    ['Bearer eyJh.eyJp.c2ln, eyJh.eyJp.', 'Bearer -, -'],
    ['{"token":"eyJh.eyJp.c2ln"}', '{"token":"-"}'],
    ['at\\neyJh.eyJp.c2ln', 'at\\n-'],
    ['token_eyJh.eyJp.c2ln', 'token_-'],
    ['eyJeyJh.eyJp.c2ln', '-'],
    ['www.eyJh.eyJp.c2ln', 'www.-'],
    ['eyJ.eyJp.c2ln eyJh eyJh.eyJp keyJ', 'eyJ.eyJp.c2ln eyJh eyJh.eyJp keyJ'],
  ]) t.equal(replaceJwts(text!, '-'), replaced)
})
