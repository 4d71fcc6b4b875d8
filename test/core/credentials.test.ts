// What addresses, names and passwords may be.
import fc from 'fast-check'
import t from 'tap'
import { isText, normaliseEmail, normaliseName, normalisePassword, passwordSpellings, passwordWeakness, spellingsOf } from '../../src/core/credentials.js'

t.test('an address is trimmed and lower-cased', async t => {
  t.equal(normaliseEmail('  Ada.Lovelace+x@Example.COM '), 'ada.lovelace+x@example.com')
})

t.test('each address has one spelling, whichever is typed', async t => {
  for (const [typed, spelling] of [
    ['one@münchen.example', 'one@xn--mnchen-3ya.example'],
    ['one@mu\u0308nchen.example', 'one@xn--mnchen-3ya.example'],
    ['One@MÜNCHEN.Example', 'one@xn--mnchen-3ya.example'],
    ['one@XN--MNCHEN-3YA.example', 'one@xn--mnchen-3ya.example'],
    ['two@ｅｘａｍｐｌｅ.com', 'two@example.com'],
    ['two@example。com', 'two@example.com'],
    ['J\u030C@example.com', '\u01F0@example.com'],
    ['\u01F0@example.com', '\u01F0@example.com'],
    ['j\u030C@example.com', '\u01F0@example.com'],
    ['a@نامه\u200Cای.example', 'a@xn--mgba3gch31f060k.example'],
    ['a@faß.example', 'a@xn--fa-hia.example'],
    ['a@FA\u1E9E.example', 'a@xn--fa-hia.example'],
    ['a@a\u2260b.example', 'a@xn--ab-miv.example'],
    ['a@a=\u0338b.example', 'a@xn--ab-miv.example'],
  ]) t.equal(normaliseEmail(typed!), spelling, JSON.stringify(typed))
})

t.test('the spelling of a spelling is itself, and neither case nor composition makes another', async () => {
  // By its number: a unit of fast-check's own begins with a map of all of them, which takes a second.
  const character = fc.integer({ min: 0, max: 0x10ffff }).filter(code => code < 0xd800 || code > 0xdfff).map(code => String.fromCodePoint(code))
  const letter = fc.oneof(character, fc.constantFrom(...'jJTtΣσςİıßẞ≠ﬀａÅΐΰᾳᾼ', '\u030C', '\u0345', '\u0301', '\u0307', '\u0308', '\u0342'))
  const domain = fc.oneof(fc.domain(), fc.string({ unit: letter, maxLength: 8 }).map(label => `${label}.example`))
  fc.assert(fc.property(fc.string({ unit: letter, maxLength: 8 }), domain, (local, domain) => {
    const email = `${local}@${domain}`
    const spelling = normaliseEmail(email)
    return spelling === undefined || [spelling, email.normalize('NFD'), email.normalize('NFC'), `${local.toLowerCase()}@${domain}`, ...spellingsOf(spelling)].every(other => normaliseEmail(other) === spelling)
  }), { numRuns: 2000 })
})

t.test('what cannot be an address is refused', async t => {
  const domains = [
    '', 'example', '.com', 'example..com', 'example.com.', '1.2.3.44', '127.1', '0x7f.1', '[::1]', '-example.com', 'example-.com', 'example.com-', 'exa mple.com', `${'b'.repeat(64)}.com`, 'xn--a.com', 'xn--example-.com', '\u0301a.com',
    'example.com/x', 'example.com:80', 'ex%61mple.com', 'example.com?x', 'example.com#x', 'exa\nmple.com', 'exam\\ple.com', 'user:x',
  ]
  for (const domain of domains) t.equal(normaliseEmail(`a@${domain}`), undefined, JSON.stringify(domain))
  for (const text of ['', 'ada', '@example.com', 'a da@example.com', 'ada@@example.com', 'ada@example.com@example.com', 'a\0@example.com', 'a\ud800@example.com', `${'a'.repeat(65)}@example.com`]) t.equal(normaliseEmail(text), undefined, JSON.stringify(text))
})

t.test('nothing that is not seen is in an address, in its domain as little, however that is spelled', async t => {
  for (const hidden of '\u115F\u1160\u3164\uFFA0\u2800\uFE0F\u034F\u00AD\u200B\u200D\u200E\u2060\u{E0020}\u{1D159}\u{16FE4}') {
    for (const text of [`a${hidden}b@example.com`, `${hidden}a@example.com`, `a@exam${hidden}ple.com`, `a@${hidden}.com`]) t.equal(normaliseEmail(text), undefined, JSON.stringify(text))
  }
  t.equal(normaliseEmail('a@xn--ab-10y.com'), undefined, 'U+2800')
})

t.test('an address of 254 characters fits, one of 255 does not, counted as DNS has them', async t => {
  const domain = (last: number) => `${`${'b'.repeat(61)}.`.repeat(3)}${'b'.repeat(last)}.com`
  t.equal(normaliseEmail(`${'a'.repeat(2)}@${domain(61)}`)?.length, 254)
  t.equal(normaliseEmail(`${'a'.repeat(3)}@${domain(61)}`), undefined)
  t.equal(normaliseEmail(`a@${'ü'.repeat(30)}.${'ü'.repeat(30)}.${'ü'.repeat(30)}.${'ü'.repeat(30)}.${'ü'.repeat(30)}.${'ü'.repeat(30)}.${'ü'.repeat(30)}.example`), undefined)
})

t.test('an account is looked for under the spelling that it was made with before, too', async t => {
  t.strictSame(spellingsOf(' Ada@Example.com'), ['ada@example.com'])
  t.strictSame(spellingsOf('one@München.example'), ['one@münchen.example', 'one@xn--mnchen-3ya.example'])
  t.strictSame(spellingsOf('one@xn--mnchen-3ya.example'), ['one@xn--mnchen-3ya.example', 'one@münchen.example'])
  t.strictSame(spellingsOf('two@ｅｘａｍｐｌｅ.com'), ['two@ｅｘａｍｐｌｅ.com', 'two@example.com'])
  t.strictSame(spellingsOf('J\u030C@example.com'), ['j\u030C@example.com', '\u01F0@example.com'])
  t.strictSame(spellingsOf('a\u3164@example.com'), ['a\u3164@example.com'])
  t.strictSame(spellingsOf('nobody'), [])
  t.strictSame(spellingsOf(`${'a'.repeat(60)}@${'b'.repeat(250)}.com`), [])
})

t.test('a name is trimmed text of which something is seen, and that leaves the text around it alone', async t => {
  for (const [text, name] of [[' Ada ', 'Ada'], ['e\u0301', 'é'], ['🦊'.repeat(51), '🦊'.repeat(51)], ['👩\u200D🚀', '👩\u200D🚀'], ['نامه\u200Cای', 'نامه\u200Cای'], ['❤\uFE0F', '❤\uFE0F']]) t.equal(normaliseName(text!), name)
  for (const text of ['', '  ', 'a\nb', 'a\u2028b', '\ud800', '\u200B', '\u200D\uFE0F', '\u3164', '\u2800', 'a\u202Eb', 'a\u2066b', 'a\u200Eb', 'a\u061Cb', '\ufb2c'.repeat(34)]) t.equal(normaliseName(text), undefined)
  t.equal(normaliseName('\ufb2c'.repeat(33))!.length, 99, 'of a letter that is kept as three')
  t.strictSame([normaliseName('🦊'.repeat(50), 50), normaliseName('🦊'.repeat(51), 50)], ['🦊'.repeat(50), undefined], 'of what has a shorter name')
})

t.test('half of a character is no text', async t => {
  t.strictSame(['', 'a🦊', 'a\ud83e', '\udd8a'].map(isText), [true, true, false, false])
})

t.test('a password is the same from every keyboard', async t => {
  t.equal(normalisePassword('ﬁsh and e\u0301'), 'fish and é')
})

t.test('a short or a common password, one character over and over and the own address are weak, nothing else', async t => {
  const weakness = (password: string, email = 'ada@example.com') => passwordWeakness(password, email, { minLength: 8, isCommon: word => word === 'password' })
  for (const short of ['seven77', '🦊🐴'.repeat(3), '\uFDFA', 'e\u0301a\u0301'.repeat(3)]) t.equal(weakness(short), 'A password has at least 8 characters.', short)
  t.equal(weakness('PassWord'), 'This password is one of the most common ones; choose another.')
  for (const repeated of [' '.repeat(8), '\u2003 '.repeat(5), 'z'.repeat(9), 'zZ'.repeat(6), 'z '.repeat(6), '\u200Bz'.repeat(5), '🦊'.repeat(63), '\u200B\u3164'.repeat(5)]) t.equal(weakness(repeated), 'A password must not be one character over and over.', JSON.stringify(repeated))
  t.equal(weakness('Ada@Example.com'), 'A password must differ from the e-mail address.')
  for (const email of ['one@xn--mnchen-3ya.example', 'one@münchen.example']) {
    for (const password of ['One@München.example', 'one@xn--mnchen-3ya.example']) t.equal(weakness(password, email), 'A password must differ from the e-mail address.')
  }
  t.equal(weakness('a\u3164@example.com', 'a\u3164@example.com'), 'A password must differ from the e-mail address.')
  for (const strong of ['aaaa bbbb', 'абвгдежз'.repeat(8), 'x'.repeat(64), 'other@example.com', '\uFDFA'.repeat(8)]) t.equal(weakness(strong), undefined, strong)
})

t.test('another system may have hashed a password as it was typed', async t => {
  t.strictSame(passwordSpellings('correct horse'), ['correct horse'])
  t.strictSame(passwordSpellings('\uFB01ne'), ['fine', '\uFB01ne'])
})
