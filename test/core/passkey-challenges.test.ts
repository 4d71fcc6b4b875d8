// What a passkey signs: good for one purpose, for whom it was made, for five minutes, and nobody else's to write.
import { createSecretKey, randomBytes } from 'node:crypto'
import t from 'tap'
import { CHALLENGE_BYTES, readChallenge, writeChallenge } from '../../src/core/passkey-challenges.js'

const NOW = 1_800_000_000_000
const key = { id: '0123456789abcdef', secret: createSecretKey(randomBytes(32)) }
const find = (id: string) => id === key.id ? key.secret : undefined
const random = randomBytes(CHALLENGE_BYTES)
const spent = { id: random.toString('base64url'), until: NOW + 300_000 }

t.test('a challenge is good for its purpose and for whom it was made, for five minutes', async t => {
  const challenge = writeChallenge('add-passkey', 'user family', random, NOW, key)
  t.match(challenge, /^[\w-]{100,140}$/)
  t.strictSame([NOW, NOW + 299_999].map(now => readChallenge('add-passkey', 'user family', challenge, now, find)), [spent, spent])
  t.equal(readChallenge('add-passkey', 'user family', challenge, NOW + 300_000, find), undefined)
  t.equal(readChallenge('log-in-by-passkey', 'user family', challenge, NOW, find), undefined)
  for (const whose of ['', 'user', 'user other']) t.equal(readChallenge('add-passkey', whose, challenge, NOW, find), undefined, `for ${whose}`)
  t.equal(readChallenge('add-passkey', 'user family', challenge, NOW, () => undefined), undefined, 'of a secret that does not count any more')
})

t.test('nobody else can write one, move its end, or give it another random part', async t => {
  const text = Buffer.from(writeChallenge('log-in-by-passkey', '', random, NOW, key), 'base64url').toString()
  const read = (changed: string) => readChallenge('log-in-by-passkey', '', Buffer.from(changed).toString('base64url'), NOW, find)
  t.strictSame(read(text), spent)
  const others = [text.replace(String(spent.until), String(spent.until + 1)), text.replace(spent.id, randomBytes(16).toString('base64url')), text.slice(0, -1), `${text} `, `.${text}`, spent.id, `${spent.id}.`, '', 'x'.repeat(100_000)]
  t.strictSame(others.map(read), others.map(() => undefined))
})
