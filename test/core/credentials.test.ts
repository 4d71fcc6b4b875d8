// What addresses, names and passwords may be.
import t from 'tap'
import { COMMON_PASSWORDS } from '../../src/core/common-passwords.js'
import { fitsBcrypt, normaliseEmail, normaliseName, normalisePassword, passwordWeakness } from '../../src/core/credentials.js'

t.test('an address is trimmed and lower-cased', async t => {
  t.equal(normaliseEmail('  Ada.Lovelace+x@Example.COM '), 'ada.lovelace+x@example.com')
})

t.test('what cannot be an address is refused', async t => {
  for (const text of ['', 'ada', '@example.com', 'ada@', 'ada@example', 'a da@example.com', 'ada@exa mple.com', 'ada@@example.com', 'ada@.com', 'ada@example..com', 'a\0@example.com', `${'a'.repeat(65)}@example.com`, `a@${'b'.repeat(250)}.com`]) {
    t.equal(normaliseEmail(text), undefined, JSON.stringify(text))
  }
})

t.test('an address of 254 characters fits, one of 255 does not', async t => {
  t.equal(normaliseEmail(`a@${'b'.repeat(248)}.com`)?.length, 254)
  t.equal(normaliseEmail(`a@${'b'.repeat(249)}.com`), undefined)
})

t.test('a name is trimmed text of 1 to 100 characters', async t => {
  t.equal(normaliseName(' Ada '), 'Ada')
  for (const text of ['', '  ', 'a'.repeat(101), 'a\nb', '\ud800']) t.equal(normaliseName(text), undefined)
})

t.test('a password is the same from every keyboard', async t => {
  t.equal(normalisePassword('ﬁsh and e\u0301'), 'fish and é')
})

t.test('a password that bcrypt would cut does not fit', async t => {
  t.ok(fitsBcrypt('é'.repeat(36)))
  t.notOk(fitsBcrypt('é'.repeat(36) + 'a'))
  t.notOk(fitsBcrypt('nul\0nul'))
  t.notOk(fitsBcrypt('half \ud800 pair'))
})

t.test('a short, a long, a common password and the own address are weak, nothing else', async t => {
  const weakness = (password: string) => passwordWeakness(password, 'ada@example.com', 8)
  t.equal(weakness('seven77'), 'A password has at least 8 characters.')
  t.equal(weakness('🦊'.repeat(7)), 'A password has at least 8 characters.')
  t.equal(weakness('x'.repeat(73)), 'A password has at most 72 bytes of text; letters beyond ASCII take more than one each.')
  t.equal(weakness('PassWord'), 'This password is one of the most common ones; choose another.')
  t.equal(weakness('Ada@Example.com'), 'A password must differ from the e-mail address.')
  t.equal(weakness('aaaa bbbb'), undefined)
})

t.test('the list holds common passwords of a length that would pass otherwise', async t => {
  t.ok(COMMON_PASSWORDS.size > 10_000)
  for (const word of ['password', '12345678', 'qwertyuiop', 'trustno1']) t.ok(COMMON_PASSWORDS.has(word), word)
  t.notOk([...COMMON_PASSWORDS].some(word => [...word].length < 8 || word !== word.toLowerCase()))
})
