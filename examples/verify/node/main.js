// Reads tokens, one a line, and says of each whether it is good; holds no rule of verification.
import { createInterface } from 'node:readline'
import { createVerifier } from './verifier.js'

const { JWKS_URL: jwksUrl, ISSUER: issuer, AUDIENCE: audience, KEY_CACHE = '{}' } = process.env
const verify = createVerifier({ jwksUrl, issuer, audience, cache: JSON.parse(KEY_CACHE) })

for await (const token of createInterface({ input: process.stdin })) {
  const verdict = await verify(token).then(({ sub }) => `accepted ${sub}`, error => `refused ${JSON.stringify(error.message)}`)
  process.stdout.write(`${verdict}\n`)
}
