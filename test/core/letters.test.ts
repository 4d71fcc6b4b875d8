// How a template becomes a mail: what is filled in is one line of text and nothing else; and who a setting says that mails are from.
import t from 'tap'
import { fillTemplate, readSender, readTemplate, sayInstant } from '../../src/core/letters.js'

const LAYOUT = '<title>{{subject}}</title>{{content}}'

t.test('what is filled in is text, whatever it looks like', async t => {
  const template = readTemplate('new-device', { text: 'Subject: At {{issuer}}\n\nWith {{device}}\nfrom {{ip}}.', html: undefined, layout: LAYOUT })
  const letter = fillTemplate(template, { issuer: 'id.example\r\nBcc: eve@evil.example', device: '<script>alert("x")</script> & {{link}} $& \u202E\u2028\0', ip: "'" })
  t.strictSame(letter, {
    subject: 'At id.example Bcc: eve@evil.example',
    text: 'With <script>alert("x")</script> & {{link}} $&  \nfrom \'.',
    html: '<title>At id.example Bcc: eve@evil.example</title><p>With &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; {{link}} $&amp;  <br>\nfrom &#39;.</p>',
  })
})

t.test('a text is text in its HTML, too', async t => {
  const { html } = readTemplate('new-device', { text: 'Subject: A < B\n\n\n<b>&\n\nsecond', html: undefined, layout: LAYOUT })
  t.equal(html, '<title>A &lt; B</title><p>&lt;b&gt;&amp;</p>\n<p>second</p>')
})

t.test('an instant is said in UTC', async t => {
  t.equal(sayInstant(1_800_000_059_999), '2027-01-15 08:00 UTC')
})

t.test('who mails are from is an address, with a name or without', async t => {
  t.strictSame(readSender('id@example.com'), { name: '', address: 'id@example.com' })
  for (const text of ['Example Inc. <id@example.com>', '"Example Inc." <id@example.com>', 'Example Inc.<id@example.com>']) t.strictSame(readSender(text), { name: 'Example Inc.', address: 'id@example.com' })
  for (const text of ['', 'id', 'a@b, c@d', '<a@b>, c@d', 'x <a@b> <c@d>']) t.equal(readSender(text), undefined, text)
})
