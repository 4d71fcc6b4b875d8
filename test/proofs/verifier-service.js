// A service on @signet/verifier as a process: reads tokens, one a line, and says of each whether it is good; holds no rule of verification.
import { createInterface } from 'node:readline'

const { JWKS_URL: jwksUri = '', ISSUER: issuer = '', AUDIENCE: audience = '', KEY_CACHE: more = '{}' } = process.env
/** @type {typeof import('../../src/verifier/verifier.js')} */
const { createVerifier } = await import(process.argv[2] ?? '@signet/verifier')
const { verify } = createVerifier({
  jwksUri, issuer, audience, ...JSON.parse(more),
  onStatusUnchecked: (_claims, cause) => { console.error('A token was accepted without its status list.', cause) },
})

for await (const token of createInterface({ input: process.stdin })) {
  const verdict = await verify(token).then(({ sub }) => `accepted ${sub}`, error => `refused ${error.code}`)
  process.stdout.write(`${verdict}\n`)
}
