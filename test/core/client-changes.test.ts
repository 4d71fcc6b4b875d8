// What becomes of a client: each change is a version, and secrets are where they are needed, two at the most.
import t from 'tap'
import { changeSettings, makeClient, retireSecret, rotateSecret, type Changed } from '../../src/core/client-changes.js'
import { isSecretOf, type AuthMethod } from '../../src/core/client.js'
import type { ClientSettings } from '../../src/core/client-metadata.js'

const settings = (authMethod: AuthMethod): ClientSettings => ({ name: 'Notes', redirectUris: ['https://app.example/'], grantTypes: ['authorization_code'], authMethod, scopes: [], audiences: [], postLogoutRedirectUris: [], isOurs: false, requiresPkce: true })

t.test('a new client has a secret if its method needs one, and a random id', async t => {
  for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
    const { client, secret } = makeClient(settings(method), 1000)
    t.strictSame(client, { ...settings(method), id: client.id, version: 1, secrets: [{ hash: client.secrets[0]!.hash, createdAt: 1000 }], createdAt: 1000 })
    t.match(client.id, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
    t.ok(isSecretOf(client, secret!))
  }
  for (const method of ['none', 'private_key_jwt'] as const) t.match(makeClient(settings(method), 1000), { client: { secrets: [] }, secret: undefined })
})

t.test('a change keeps id, secrets and birth, and is one version more', async t => {
  const { client } = makeClient(settings('client_secret_basic'), 1000)
  t.strictSame(changeSettings(client, settings('client_secret_post'), 2000), { client: { ...client, version: 2, authMethod: 'client_secret_post' } })
})

t.test('a client gets a secret when it begins to need one, and loses those that it needs no more', async t => {
  const { client } = makeClient(settings('none'), 1000)
  const { client: confidential, secret } = changeSettings(client, settings('client_secret_basic'), 2000)
  t.match(confidential, { version: 2, createdAt: 1000, secrets: [{ createdAt: 2000 }] })
  t.ok(isSecretOf(confidential, secret!))
  t.strictSame(changeSettings(confidential, settings('private_key_jwt'), 3000), { client: { ...client, version: 3, authMethod: 'private_key_jwt' } })
})

t.test('a secret is rotated by a second, both good at once, and the older is retired', async t => {
  const { client, secret } = makeClient(settings('client_secret_basic'), 1000)
  const rotated = rotateSecret(client, 2000) as Changed
  t.match(rotated.client, { version: 2, secrets: [{ createdAt: 1000 }, { createdAt: 2000 }] })
  for (const one of [secret, rotated.secret]) t.ok(isSecretOf(rotated.client, one!))
  t.strictSame(rotateSecret(rotated.client, 3000), { refused: 'two_secrets' })
  const retired = retireSecret(rotated.client) as Changed
  t.strictSame(retired, { client: { ...rotated.client, version: 3, secrets: rotated.client.secrets.slice(1) } })
  t.notOk(isSecretOf(retired.client, secret!))
  t.ok(isSecretOf(retired.client, rotated.secret!))
  t.strictSame(retireSecret(retired.client), { refused: 'one_secret' })
})

t.test('a client without a secret has none to rotate', async t => {
  for (const method of ['none', 'private_key_jwt'] as const) {
    const { client } = makeClient(settings(method), 1000)
    t.strictSame([rotateSecret(client, 2000), retireSecret(client)], [{ refused: 'no_secret' }, { refused: 'no_secret' }])
  }
})
