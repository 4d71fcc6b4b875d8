// A service in Express whose orders only the bearers of good tokens see; holds no rule of verification.
import express from 'express'
import { requireToken, tokenOf } from '@signet/verifier/express'

const { JWKS_URL: jwksUri, ISSUER: issuer, AUDIENCE: audience, PORT = '4000' } = process.env
const guard = requireToken({
  issuer,
  audience,
  jwksUri,
  onRefused: ({ code, message, cause }) => { console.error(code, message, cause ?? '') },
  onStatusUnchecked: ({ sub }, cause) => { console.error('accepted without its status list:', sub, cause) }
})

const app = express()

app.get('/orders', guard, (request, response) => {
  response.json({ user: tokenOf(request).sub, orders: [] })
})

const server = app.listen(Number(PORT), '127.0.0.1', () => { console.log(`http://127.0.0.1:${server.address().port}/orders`) })
