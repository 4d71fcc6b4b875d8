// The claims of an access token.
import t from 'tap'
import { accessTokenClaims } from '../../src/core/access-token.js'

t.test('an access token has the claims of RFC 9068, its family and the time of the log-in, in seconds', async t => {
  const settings = { issuer: 'https://signet.example', audience: 'api', clientId: 'web', ttl: 600 }
  t.strictSame(accessTokenClaims({ userId: 'user', familyId: 'family', authenticatedAt: 1_000_999 }, 'id', 2_000_999, settings), {
    iss: 'https://signet.example', aud: 'api', sub: 'user', client_id: 'web', sid: 'family', jti: 'id', iat: 2000, exp: 2600, auth_time: 1000,
  })
})
