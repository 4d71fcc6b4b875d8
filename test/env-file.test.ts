// A file .env: what each line says, and that no line is lost in silence.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readEnvFile } from '../src/env-file.js'

const path = join(t.testdir(), '.env')

function read (content: string | Uint8Array): Record<string, string> {
  writeFileSync(path, content)
  return readEnvFile(path)
}

t.test('a file that is not there sets nothing', async t => {
  t.strictSame(readEnvFile(join(t.testdir(), '.env')), {})
  t.strictSame(read(''), {})
})

t.test('a line is a name and a value, bare or in quotes, or a comment', async t => {
  const lines: Array<[string, Record<string, string>]> = [
    ['A=1\nB=2', { A: '1', B: '2' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['A=1\rB=2\r', { A: '1', B: '2' }],
    ['\n\n  # a comment\nA=1\n#B=2\n', { A: '1' }],
    ['  export A = 1 \t\nexport=2', { A: '1', export: '2' }],
    ['A=\nB=  \nC=""', { A: '', B: '', C: '' }],
    ['A=1 # why\nB=a#b\nC="a#b" # why\nD=#', { A: '1', B: 'a', C: 'a#b', D: '' }],
    ['A=" x "\nB=\' y\'\nC=`z"`', { A: ' x ', B: ' y', C: 'z"' }],
    ['A="C:\\new"\nB=a=b==\nC=it\'s', { A: 'C:\\new', B: 'a=b==', C: 'it\'s' }],
    ['A="one\ntwo"\nB=3', { A: 'one\ntwo', B: '3' }],
    ['A=1\nA=2', { A: '2' }],
    ['a.b-c=$A\u00A0\n', { 'a.b-c': '$A' }],
    ['\uFEFFA=1\nB=2', { A: '1', B: '2' }],
  ]
  for (const [text, values] of lines) t.strictSame(read(text), values, JSON.stringify(text))
})

t.test('a line that is neither is refused by its number, lest it be lost', async t => {
  for (const [text, number] of [
    ['NODE_ENV production', 1], ['A=1\nNODE_ENV: production\nB=1', 2], ['\n\nNODE_ENV', 3], ['=x', 1], ['A="x\nB=1', 1], ['A=1\r\nB="x" y\r\n', 2], ['A="x\ny"\nB=\'it\'s\'', 3], ['MY NAME=x', 1],
  ] as const) t.throws(() => read(text), { message: `Line ${number} of the file ${path} is not NAME=value: mend it, or begin it with # for a comment.` }, JSON.stringify(text))
})

t.test('what is not UTF-8 is refused, for its lines would be lost', async t => {
  const message = `The file ${path} is not text in UTF-8: save it as that, and not as UTF-16.`
  const utf16 = Buffer.from('NODE_ENV=production\n', 'utf16le')
  for (const bytes of [utf16, Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()]), Buffer.from('AUDIENCE=Bücher', 'latin1'), 'A=\0']) {
    t.throws(() => read(bytes), { message })
  }
})

t.test('a file that cannot be read is said in a sentence', async t => {
  const folder = join(t.testdir(), '.env')
  mkdirSync(folder)
  t.throws(() => readEnvFile(folder), { message: `The file ${folder} cannot be read: it is a folder.` })
})
