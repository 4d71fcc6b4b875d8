// The servers that are measured, each in a process of its own: Signet, or a bare peer; holds no measurement.
import { generateKeyPair, SignJWT, jwtVerify } from 'jose'
import bcrypt from 'bcrypt'
import Fastify from 'fastify'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { readConfig } from '../src/config.js'
import { start } from '../src/server.js'

const [, , kind = '', folder = '', cost = '10', databaseUrl, settings = '{}'] = process.argv
const PASSWORD = 'correct horse battery'

async function startSignet (): Promise<AddressInfo> {
  const { app } = await start(readConfig({
    PORT: '0', DATABASE_URL: databaseUrl, KEYS_DIR: join(folder, 'keys'), RATE_LIMIT: 'off', LOG_LEVEL: 'warn', HASH_QUEUE: '1000', BCRYPT_COST: cost, ...JSON.parse(settings) as Record<string, string>,
  }))
  return app.server.address() as AddressInfo
}

async function startBare (): Promise<AddressInfo> {
  const app = Fastify()
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const claims = { iss: 'x', aud: 'x', sub: 'x', sid: 'x', client_id: 'x', jti: 'x', exp: 4_000_000_000 }
  const sign = async () => await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'x' }).sign(privateKey)
  const token = await sign()
  const hash = bcrypt.hashSync(PASSWORD, Number(cost))
  app.get('/hello', async () => ({ hello: 'world' }))
  app.post('/sign', async () => ({ token: await sign() }))
  app.get('/verify', async () => ({ sub: (await jwtVerify(token, publicKey, { algorithms: ['RS256'], typ: 'at+jwt' })).payload.sub }))
  app.post('/bcrypt', async () => ({ same: bcrypt.compareSync(PASSWORD, hash) }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server.address() as AddressInfo
}

const { port } = await (kind === 'bare' ? startBare() : startSignet())
// CPU of the whole process, its threads included, in microseconds.
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!({ cpu: user + system })
})
process.on('disconnect', () => process.exit(0))
process.send!({ port })
