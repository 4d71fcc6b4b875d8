// node-oidc-provider as a peer: its least program, in memory, with refresh tokens for whoever measures it; holds no measurement.
import { once } from 'node:events'
// @ts-expect-error It has no types.
import Provider from 'oidc-provider'

const CLIENT = { client_id: 'bench', token_endpoint_auth_method: 'none', grant_types: ['refresh_token', 'authorization_code'], redirect_uris: ['https://app.example/'], application_type: 'web' }
const SERVICE = { client_id: 'service', client_secret: 'the secret of a service', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
const RESOURCE = 'https://api.example'
const SCOPE = 'offline_access'

const count = Number(process.argv[2] ?? 0)
const provider = new Provider('http://127.0.0.1', {
  clients: [CLIENT, SERVICE],
  findAccount: (/** @type {unknown} */ _context, /** @type {string} */ accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 600, ClientCredentials: 600, Grant: 86_400, IdToken: 600, RefreshToken: 86_400 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    // Access tokens that are JWTs, as Signet's are.
    resourceIndicators: {
      enabled: true, defaultResource: () => RESOURCE, useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'read', audience: RESOURCE, accessTokenTTL: 600, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
    },
  },
})
const client = await provider.Client.find(CLIENT.client_id)
const tokens = []
for (let n = 0; n < count; n++) {
  const grant = new provider.Grant({ accountId: `user${n}`, clientId: CLIENT.client_id })
  grant.addOIDCScope(SCOPE)
  grant.addResourceScope(RESOURCE, 'read')
  const grantId = await grant.save()
  const now = Math.floor(Date.now() / 1000)
  const token = new provider.RefreshToken({ client, accountId: `user${n}`, grantId, scope: `${SCOPE} read`, resource: RESOURCE, authTime: now, gty: 'authorization_code', iiat: now })
  tokens.push(await token.save())
}
const server = provider.listen(0, '127.0.0.1')
await once(server, 'listening')
// CPU of the whole process, its threads included, in microseconds, for who started it with a channel.
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.on('disconnect', () => process.exit(0))
process.stdout.write(`http://127.0.0.1:${server.address().port}\n${JSON.stringify(tokens)}\n`)
