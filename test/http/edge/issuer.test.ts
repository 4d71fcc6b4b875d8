// Addresses below an issuer.
import t from 'tap'
import { addressBelow } from '../../../src/http/edge/issuer.js'

t.test('an address below an issuer has one slash between, whether or not the issuer ends with one', async t => {
  t.strictSame(['https://id.example', 'https://id.example/', 'https://example.com/id/'].map(issuer => addressBelow(issuer, '/token')), ['https://id.example/token', 'https://id.example/token', 'https://example.com/id/token'])
})
