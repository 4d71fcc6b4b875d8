// The list of common passwords.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { isCommonPassword } from '../../src/services/common-passwords.js'

const words = readFileSync('src/services/common-passwords.txt', 'utf8').trimEnd().split('\n')

t.test('the list holds common passwords of a length that would pass otherwise, each once', async t => {
  t.ok(words.length > 10_000)
  t.equal(new Set(words).size, words.length)
  t.notOk(words.some(word => [...word].length < 8 || word !== word.toLowerCase()))
})

t.test('whole words are common, not what is in them or what two of them make', async t => {
  for (const word of ['password', '12345678', 'qwertyuiop', 'trustno1', words[0]!, words.at(-1)!]) t.ok(isCommonPassword(word), word)
  for (const word of ['', 'passwor', 'trustno1\n', words.slice(0, 2).join('\n')]) t.notOk(isCommonPassword(word), word)
})
