// What mails say, ours and an operator's: every text in every language, each file replaced by itself, and what is wrong said in a sentence.
import { join } from 'node:path'
import t from 'tap'
import { fillTemplate, LETTER_KINDS, LETTERS, type Values } from '../../src/core/letters.js'
import { readTemplates } from '../../src/mail/templates.js'

const VALUES: Values = { issuer: 'id.example', account: 'https://id.example/account', link: 'https://id.example/account#reset-password=x', until: '2027-01-15 08:00 UTC', at: '2027-01-15 08:00 UTC', ip: '192.0.2.7', device: 'Firefox, Linux' }

t.test('every mail has a text and an HTML in each language, with no hole left, and no link to anywhere but the account page', async t => {
  for (const language of ['en', 'de']) {
    const templates = readTemplates('', language)
    t.strictSame(Object.keys(templates), LETTER_KINDS)
    for (const kind of LETTER_KINDS) {
      const letter = fillTemplate(templates[kind], VALUES)
      for (const part of Object.values(letter)) t.notMatch(part, /\{\{|\}\}/, kind)
      for (const [address] of (letter.text + letter.html).matchAll(/https?:\/\/[^\s"<]+/g)) t.ok([VALUES.link, VALUES.account].includes(address), `${kind}: ${address}`)
      const isLink = (LETTERS[kind] as readonly string[]).includes('link')
      t.equal(letter.text.includes(VALUES.link!), isLink, kind)
      t.equal(letter.html.includes(`<a href="${VALUES.link}">${VALUES.link}</a>`), isLink, kind)
      t.match(letter.text, 'id.example')
      t.match(letter.html, /^<!doctype html>/)
      t.notMatch(letter.html, /<script|<img|<link|src=|url\(/, kind)
    }
  }
  t.not(readTemplates('', 'en')['new-device'].subject, readTemplates('', 'de')['new-device'].subject)
})

t.test('an operator replaces a text, its HTML, the layout, or a whole language', async t => {
  const folder = t.testdir({
    'layout.html': '<body class="ours">{{content}}</body>',
    en: { 'new-device.txt': 'Subject: Hi at {{issuer}}\r\n\r\nA & B from {{ip}}\r\nby {{device}}\r\n\r\n{{account}}\r\n', 'reset-password.html': '<a href="{{link}}">reset</a>' },
    fr: Object.fromEntries(LETTER_KINDS.map(kind => [`${kind}.txt`, `Subject: ${kind}\n\nBonjour${(LETTERS[kind] as readonly string[]).includes('link') ? ' {{link}}' : ''}\n`])),
  })
  const templates = readTemplates(folder, 'en')
  t.strictSame(fillTemplate(templates['new-device'], VALUES), {
    subject: 'Hi at id.example', text: 'A & B from 192.0.2.7\nby Firefox, Linux\n\nhttps://id.example/account\n',
    html: '<body class="ours"><p>A &amp; B from 192.0.2.7<br>\nby Firefox, Linux</p>\n<p><a href="https://id.example/account">https://id.example/account</a></p></body>',
  })
  t.equal(fillTemplate(templates['reset-password'], VALUES).html, '<a href="https://id.example/account#reset-password=x">reset</a>')
  t.match(templates['reset-password'].text, 'Somebody asked')
  t.equal(fillTemplate(readTemplates(folder, 'fr')['verify-email'], VALUES).text, `Bonjour ${VALUES.link}\n`)
})

t.test('what cannot be used is refused in a sentence that names it', async t => {
  const missing = join(t.testdirName, 'nowhere')
  const folder = (files: object) => t.testdir(files as Parameters<typeof t.testdir>[0])
  const text = (body: string) => ({ en: { 'reset-password.txt': body } })
  t.throws(() => readTemplates('', 'fr'), { message: 'There is no fr/verify-email.txt: MAIL_LANGUAGE is en or de, or one of which MAIL_TEMPLATES has every text.' })
  t.throws(() => readTemplates(missing, 'en'), { message: `The setting MAIL_TEMPLATES names no folder: ${missing}.` })
  for (const [files, sentence] of [
    [text('Hello\n\n{{link}}'), 'reset-password.txt cannot be used. The text must begin with a line `Subject: …` and an empty one.'],
    [text('Subject: x\n\nno link'), 'reset-password.txt cannot be used. The text lacks {{link}}.'],
    [text('Subject: x\n\n{{link}} {{name}}'), 'reset-password.txt cannot be used. The text has {{name}}, which is none of {{issuer}}, {{account}}, {{link}}, {{until}}.'],
    [text('Subject: {{ip}}\n\n{{link}}'), 'reset-password.txt cannot be used. The text has {{ip}}, which is none of {{issuer}}, {{account}}, {{link}}, {{until}}.'],
    [{ en: { 'reset-password.html': '<p>no link</p>' } }, 'reset-password.html cannot be used. The HTML lacks {{link}}.'],
    [{ en: { 'new-device.html': '{{link}}' } }, 'new-device.html cannot be used. The HTML has {{link}}, which is none of {{issuer}}, {{account}}, {{at}}, {{ip}}, {{device}}.'],
    [{ 'layout.html': '{{name}}' }, 'verify-email.txt cannot be used. The HTML has {{name}}, which is none of {{issuer}}, {{account}}, {{link}}, {{until}}.'],
    [{ 'layout.html': '{{content}}{{constructor}}' }, 'verify-email.txt cannot be used. The HTML has {{constructor}}, which is none of {{issuer}}, {{account}}, {{link}}, {{until}}.'],
    [text('Subject: x\n\n{{link}} {{until'), 'reset-password.txt cannot be used. The text has {{ without its }} in the same line.'],
    [text('Subject: x\n\n{{link}} {{un\ntil}}'), 'reset-password.txt cannot be used. The text has {{ without its }} in the same line.'],
    [{ en: { 'reset-password.txt': {} } }, 'reset-password.txt cannot be read: it is a folder.'],
    [{ en: 'x' }, 'en cannot be read: a part of its path is not a folder.'],
    [{ en: { 'reset-password.txt': t.fixture('symlink', 'nowhere') } }, 'reset-password.txt cannot be read: it is not there.'],
  ] as const) {
    const path = folder(files)
    t.throws(() => readTemplates(path, 'en'), { message: new RegExp(`${sentence.replaceAll(/[.{}`]/g, '\\$&')}$`) }, sentence)
  }
  const file = join(folder({ en: 'x' }), 'en')
  t.throws(() => readTemplates(file, 'en'), { message: `The setting MAIL_TEMPLATES names no folder: ${file}.` })
  const mistyped = folder({ en: { 'rest-password.txt': 'x' } })
  t.throws(() => readTemplates(mistyped, 'en'), { message: /^The template .*rest-password\.txt has a name that is no mail's: those are verify-email, .*, with \.txt or \.html\.$/ })
})
