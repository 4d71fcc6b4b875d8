// The tokens that every verifier must refuse, each a good one with one thing wrong, and those that it must take; holds no verifier and no verdict.
import { createPublicKey, randomUUID, type KeyObject } from 'node:crypto'
import { ATTACKER_KEY_ID, attackerJwk, damage, encode, hmac, pss, rsa, signAsAttacker, writeJws, type Jws } from './jws.js'

export interface Ingredients {
  /** An access token as it was issued, and the refresh token that came with it. */
  access: string
  refresh: string
  /** The key that signed it: only what the authority itself signed can show that a verifier reads the claims. */
  privateKey: KeyObject
  /** Where the attacker publishes keys. */
  attackerUrl: string
  /** In milliseconds. */
  now: number
}

/** Beyond the largest leeway that a verifier grants unasked, which is a minute. In seconds. */
const BEYOND_LEEWAY = 120
const DEPTH = 100_000

/** A token that differs from the issued one in its id and these claims alone: what is wrong with a bad one is not that it was made here. */
export function tokenOf (ingredients: Ingredients, claims: object = {}): string {
  const good = read(ingredients)
  return writeJws({ ...good, claims: { ...good.claims, jti: randomUUID(), ...claims } })
}

/** Good tokens by what is told of them, all of the same subject. */
export function goodTokens (ingredients: Ingredients): Record<string, string> {
  const { claims: { aud, sub } } = read(ingredients)
  return {
    'that was signed here': tokenOf(ingredients),
    'for several audiences': tokenOf(ingredients, { aud: ['another', aud] }),
    "of a client's, for what a user let it do": tokenOf(ingredients, { client_id: randomUUID(), scope: 'openid orders' }),
    'that a client has for itself': tokenOf(ingredients, { client_id: sub, scope: 'orders', sid: undefined, auth_time: undefined, status: undefined }),
  }
}

/** Bad tokens by what is wrong with them, which completes "a token that …". */
export function badTokens (ingredients: Ingredients): Record<string, string> {
  const { access, refresh, privateKey, attackerUrl, now } = ingredients
  const good = read(ingredients)
  const seconds = Math.floor(now / 1000)
  const publicKey = createPublicKey(privateKey)
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  const { n: modulus } = publicKey.export({ format: 'jwk' })
  const [header, payload, signature] = access.split('.') as [string, string, string]

  const claiming = (claims: object) => writeJws({ ...good, claims: { ...good.claims, ...claims } })
  const headed = (members: object, signer = good.signer) => writeJws({ ...good, header: { ...good.header, ...members }, signer })
  const byAttacker = (members: object) => headed(members, signAsAttacker)

  return {
    'has expired': claiming({ iat: seconds - 2 * BEYOND_LEEWAY, exp: seconds - BEYOND_LEEWAY }),
    'is not good yet': claiming({ nbf: seconds + BEYOND_LEEWAY }),
    'is for another audience': claiming({ aud: 'another' }),
    'is for several other audiences': claiming({ aud: ['another', 'a third'] }),
    'is of another issuer': claiming({ iss: 'https://another.example' }),
    'has no expiry': claiming({ exp: undefined }),
    'has no audience': claiming({ aud: undefined }),
    'has no issuer': claiming({ iss: undefined }),
    'has no subject': claiming({ sub: undefined }),
    'has the type JWT': headed({ typ: 'JWT' }),
    'has no type': headed({ typ: undefined }),
    'has the algorithm none and no signature': headed({ alg: 'none' }, () => Buffer.of()),
    'has the algorithm nOnE and no signature': headed({ alg: 'nOnE' }, () => Buffer.of()),
    'has the algorithm none and the good signature': `${encode({ ...good.header, alg: 'none' })}.${payload}.${signature}`,
    'is signed with HS256 and the PEM of our public key': headed({ alg: 'HS256' }, hmac(pem)),
    'is signed with HS256 and the PEM of our public key without its last line break': headed({ alg: 'HS256' }, hmac(String(pem).trim())),
    'is signed with HS256 and the bytes of our modulus': headed({ alg: 'HS256' }, hmac(Buffer.from(modulus!, 'base64url'))),
    'is signed with HS256 and the text of our modulus': headed({ alg: 'HS256' }, hmac(modulus!)),
    'is signed by our key with RS512': headed({ alg: 'RS512' }, rsa('sha512', privateKey)),
    'is signed by our key with PS256': headed({ alg: 'PS256' }, pss(privateKey)),
    'has a damaged signature': `${header}.${payload}.${damage(signature)}`,
    'has no signature': `${header}.${payload}.`,
    'has a payload that was changed': `${header}.${encode({ ...good.claims, sub: randomUUID() })}.${signature}`,
    'has a header that was changed': `${encode({ ...good.header, changed: true })}.${payload}.${signature}`,
    'is signed by our key under an unknown id': headed({ kid: 'unknown' }),
    'is signed by another key under our id': byAttacker({}),
    'is signed by another key, which it holds, under our id': byAttacker({ jwk: attackerJwk(String(good.header['kid'])) }),
    'is signed by another key, which it holds': byAttacker({ kid: ATTACKER_KEY_ID, jwk: attackerJwk(ATTACKER_KEY_ID) }),
    'is signed by another key, to which its jku points, under our id': byAttacker({ jku: attackerUrl }),
    'is signed by another key, to which its jku points': byAttacker({ kid: ATTACKER_KEY_ID, jku: attackerUrl }),
    'is signed by another key, to which its x5u points': byAttacker({ kid: ATTACKER_KEY_ID, x5u: attackerUrl }),
    'is a refresh token': refresh,
    'is empty': '',
    'is garbage': 'garbage',
    'is garbage in three parts': 'a.b.c',
    'has empty parts': '..',
    'has a fourth part': `${access}.${signature}`,
    'has the header null': `${encode(null)}.${payload}.${signature}`,
    'has a number as its key id': `${encode({ ...good.header, kid: 1 })}.${payload}.${signature}`,
    'has a line break in its key id': `${encode({ ...good.header, kid: 'a\nb' })}.${payload}.${signature}`,
    'has half a character as its key id': `${encode({ ...good.header, kid: '\ud800' })}.${payload}.${signature}`,
    'has a critical extension with a line break in its name': `${encode({ ...good.header, crit: ['a\nb'], 'a\nb': 1 })}.${payload}.${signature}`,
    'has a header of a hundred thousand lists in each other': `${encode(`{"alg":"RS256","kid":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`)}.${payload}.${signature}`,
  }
}

function read ({ access, privateKey }: Ingredients): Jws {
  const [header, claims] = access.split('.').slice(0, 2).map(part => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>)
  return { header: header!, claims: claims!, signer: rsa('sha256', privateKey) }
}
