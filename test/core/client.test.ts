// The secret of a client: long enough, kept as a digest alone, known again in whole.
import { createHash } from 'node:crypto'
import t from 'tap'
import { isSecretOf, makeSecret } from '../../src/core/client.js'

t.test('a secret is 256 random bits, and its SHA-256 is kept', async t => {
  const { secret, kept } = makeSecret(1000)
  t.match(secret, /^[\w-]{43}$/)
  t.strictSame(kept, { hash: createHash('sha256').update(secret).digest('base64url'), createdAt: 1000 })
  t.not(makeSecret(1000).secret, secret)
})

t.test('each secret of a client is known, and nothing else', async t => {
  const [one, other] = [makeSecret(1000), makeSecret(2000)]
  const secrets = [one.kept, other.kept]
  t.ok(isSecretOf({ secrets }, one.secret))
  t.ok(isSecretOf({ secrets }, other.secret))
  for (const wrong of ['', one.kept.hash, `${one.secret}=`, ` ${one.secret}`, one.secret.toLowerCase(), makeSecret(1).secret]) t.notOk(isSecretOf({ secrets }, wrong))
  t.notOk(isSecretOf({ secrets: [] }, one.secret), 'a client without a secret')
})
