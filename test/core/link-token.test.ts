// The right to do one thing to an account: of one user as the account is now, until an instant, and nobody else's to write.
import { createSecretKey, randomBytes } from 'node:crypto'
import t from 'tap'
import { isLinkTokenOf, LINK_TOKEN_MAX_LENGTH, readLinkToken, writeLinkToken, type LinkPurpose } from '../../src/core/link-token.js'
import { redactTokens } from '../../src/core/redaction.js'
import { stamp } from '../../src/core/seals.js'

const NOW = 1_800_000_000_000
const [id, other] = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b']
const key = { id: '0123456789abcdef', secret: createSecretKey(randomBytes(32)) }
const find = (id: string) => id === key.id ? key.secret : undefined
const HOLDER = { id, email: 'ada@example.com', passwordHash: '$2b$hash' }
const PURPOSES: LinkPurpose[] = ['reset-password', 'reset-by-mail', 'verify-email', 'change-email']
const NEW = 'grace@example.com'

const give = (purpose: LinkPurpose, holder = HOLDER) => writeLinkToken(purpose, holder, NOW + 1000, key, purpose === 'change-email' ? NEW : undefined)

t.test('a token is good for its user and its purpose, as long as the account is the same, until it expires', async t => {
  for (const purpose of PURPOSES) {
    const token = give(purpose)
    t.match(token, /^[\w.~-]{110,140}$/, 'as a fragment of an address takes it')
    t.strictSame(readLinkToken(token), { id, newEmail: purpose === 'change-email' ? NEW : undefined })
    t.ok(isLinkTokenOf(purpose, HOLDER, token, NOW + 999, find))
    t.notOk(isLinkTokenOf(purpose, HOLDER, token, NOW + 1000, find))
    for (const change of [{ email: 'b@example.com' }, { id: other }, { lastDisabledAt: 1 }]) t.notOk(isLinkTokenOf(purpose, { ...HOLDER, ...change }, token, NOW, find), JSON.stringify(change))
    t.equal(isLinkTokenOf(purpose, { ...HOLDER, passwordHash: '$2b$other' }, token, NOW, find), purpose === 'verify-email', 'whoever has the address proves it whatever the password is by then')
    t.notOk(isLinkTokenOf(purpose, { ...HOLDER, id: other }, token.replace(id, other), NOW, find))
    t.notOk(isLinkTokenOf(purpose, HOLDER, token, NOW, () => undefined), 'of a secret that does not count any more')
    t.notOk(isLinkTokenOf(purpose, HOLDER, token.replace(String(NOW + 1000), String(NOW + 2000)), NOW, find))
    for (const another of PURPOSES.filter(each => each !== purpose)) t.notOk(isLinkTokenOf(another, HOLDER, token, NOW, find), `${purpose} as ${another}`)
  }
  t.notOk(isLinkTokenOf('reset-password', HOLDER, `${id}.${stamp('asked', `${id}\n${HOLDER.email}\n$2b$hash\n0\n`, NOW + 1000, key)}`, NOW, find), 'what is stamped for another purpose')
})

t.test('a token of a change is good for its new address alone', async t => {
  const token = give('change-email')
  const spelled = Buffer.from(NEW).toString('base64url')
  for (const address of ['eve@example.com', 'gracd@example.com', '']) t.notOk(isLinkTokenOf('change-email', HOLDER, token.replace(spelled, Buffer.from(address).toString('base64url')), NOW, find))
  t.notOk(isLinkTokenOf('change-email', HOLDER, token.replace(`${spelled}~`, ''), NOW, find))
  const longest = `${'ä'.repeat(64)}@${`${'x'.repeat(61)}.`.repeat(3)}xxx`
  const long = writeLinkToken('change-email', HOLDER, NOW + 1000, key, longest)
  t.ok(long.length <= LINK_TOKEN_MAX_LENGTH && isLinkTokenOf('change-email', HOLDER, long, NOW, find))
  t.equal(readLinkToken(long)?.newEmail, longest)
})

t.test('a token has one spelling', async t => {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
  for (const purpose of PURPOSES) {
    const token = give(purpose)
    t.strictSame(letters.map(last => `${token.slice(0, -1)}${last}`).filter(spelling => isLinkTokenOf(purpose, HOLDER, spelling, NOW, find)), [token])
    t.notOk(isLinkTokenOf(purpose, HOLDER, token.replace(String(NOW + 1000), `0${NOW + 1000}`), NOW, find))
  }
  const spelled = Buffer.from('gr@example.com').toString('base64url')
  const token = writeLinkToken('change-email', HOLDER, NOW + 1000, key, 'gr@example.com')
  t.strictSame(letters.map(last => token.replace(spelled, `${spelled.slice(0, -1)}${last}`)).filter(spelling => isLinkTokenOf('change-email', HOLDER, spelling, NOW, find)), [token])
})

t.test('what is no token names nobody', async t => {
  for (const text of ['', id, `${id}.`, `${id.toUpperCase()}.1.2.3`, `x${id}.1`, ` ${id}.1`]) {
    t.equal(readLinkToken(text), undefined, text)
    for (const purpose of PURPOSES) t.notOk(isLinkTokenOf(purpose, { id, email: '', passwordHash: '' }, text, NOW, find))
  }
})

t.test('no token gets into a log, whoever wrote the line', async t => {
  for (const purpose of PURPOSES) {
    t.equal(redactTokens(`554 spam: https://id.example/account#${purpose}=${give(purpose)} is bad`), `554 spam: https://id.example/account#${purpose}=[redacted] is bad`)
  }
})
