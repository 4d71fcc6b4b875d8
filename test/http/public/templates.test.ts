// Templates hold gaps, and what is filled in is text, whatever it looks like.
import t from 'tap'
import { fill, readTemplate } from '../../../src/http/public/templates.js'

t.test('a gap is filled with a text that cannot leave its place, in an element as in an attribute', async t => {
  const hostile = '"><script>alert(1)</script>\'&amp;'
  t.equal(fill('<p title="{{name}}">{{name}}</p>', { name: hostile }), `<p title="${'&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;amp;'}">${'&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;amp;'}</p>`)
  t.equal(fill('{{nobody}}.', {}), '.')
})

t.test('a block stands once for each of a list, once for a text, and not at all for an empty one', async t => {
  t.equal(fill('{{#each}}<li>{{.}}, {{all}}</li>{{/each}}', { each: ['a', 'b'], all: 'c' }), '<li>a, c</li><li>b, c</li>')
  for (const [text, expected] of [['x', '(x)'], ['', ''], [undefined, '']] as const) t.equal(fill('{{#text}}({{.}}){{/text}}', text === undefined ? {} : { text }), expected)
})

t.test('a text that looks like a gap is none', async t => {
  const values = { secret: 'a secret', name: '{{secret}} {{#secret}}{{.}}{{/secret}} $& $1', list: ['{{secret}}', '{{.}}'] }
  t.equal(fill('{{name}}{{#list}}|{{.}}{{/list}}{{#name}}|{{.}}{{/name}}', values), '{{secret}} {{#secret}}{{.}}{{/secret}} $&amp; $1|{{secret}}|{{.}}|{{secret}} {{#secret}}{{.}}{{/secret}} $&amp; $1')
})

t.test('pages are made of the parts that they have in common', async t => {
  const account = readTemplate('account')
  const logIn = readTemplate('oauth/log-in')
  for (const page of [account, logIn]) {
    t.match(page, '<form id="sign-in" method="post" novalidate>')
    t.match(page, '<symbol id="mark"')
    t.notMatch(page, '{{>')
  }
})
