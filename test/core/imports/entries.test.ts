// A file is cut into entries as it comes, however its bytes fall and whatever stands in it; what cannot be read is said, and the rest goes on.
import t from 'tap'
import { MAX_ENTRY, readEntries, type Entry } from '../../../src/core/imports/entries.js'

async function * chunksOf (file: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size)
}

/** The entries of a file, which are the same in chunks of any size. */
async function entriesOf (file: string | Buffer, size = 100_000, shape?: 'lines'): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of readEntries(chunksOf(Buffer.from(file as string), size), shape)) entries.push(entry)
  return entries
}

/** More than is looked at to know the shape, so that what follows comes in chunks. */
const FILLER = ' '.repeat(70_000)

t.test('each line is an entry, and an empty one is none', async t => {
  const file = '{"a":1}\r\n\n  \n{"a":2}\n{"a":3}'
  const entries = [{ line: 1, value: { a: 1 } }, { line: 4, value: { a: 2 } }, { line: 5, value: { a: 3 } }]
  for (const size of [1, 2, 3, 7, 100]) t.strictSame(await entriesOf(file, size), entries)
  t.strictSame(await entriesOf(`\uFEFF${file}\n`), entries)
  t.strictSame(await entriesOf(''), [])
})

t.test('the elements of an array are entries, and so are those that a document names users', async t => {
  const elements = '{"a":"x,]}\\\\\\"[","b":[{}],"users":[1]},\n {"a":2} ,3,\n\n"four"'
  const entries = (line: number) => [{ line, value: { a: 'x,]}\\"[', b: [{}], users: [1] } }, { line: line + 1, value: { a: 2 } }, { line: line + 1, value: 3 }, { line: line + 3, value: 'four' }]
  for (const [before, after, line] of [['[', ']', 1], ['\n[\n', '\n]\n', 3], ['{"users":[', ']}', 1], ['{\n"a":[1,{"users":[2]}],"users\\"":[3],"userss":[4],"user":[5],"users" :\n[', '],"clients":[{"a":"users"}],"users":[6]}', 3]] as const) {
    for (const filler of ['', FILLER]) for (const size of [1, 17, 1000]) t.strictSame(await entriesOf(`${before}${filler}${elements}${after}`, size), entries(line), before)
  }
  for (const none of ['[]', '[ \n]', '{"users":[]}']) t.strictSame(await entriesOf(none), [])
})

t.test('the rows of CSV are entries by the names of the first', async t => {
  const file = '"id",email,note\r\n1,ada@example.com,"a ""b"", c\nd"\n\n2,,\n3,x\n4,"x"y,z\n"5",x,y'
  const entries = [
    { line: 2, value: { id: '1', email: 'ada@example.com', note: 'a "b", c\nd' } }, { line: 5, value: { id: '2', email: null, note: null } },
    { line: 6, fault: 'not_csv' }, { line: 7, fault: 'not_csv' }, { line: 8, value: { id: '5', email: 'x', note: 'y' } },
  ]
  for (const size of [1, 2, 1000]) t.strictSame(await entriesOf(file, size), entries)
  t.strictSame(await entriesOf('id,email\n1,"x\ny'), [{ line: 2, fault: 'file_ends_within' }])
  t.strictSame((await entriesOf('__proto__,email\nx,y'))[0], { line: 2, value: JSON.parse('{"__proto__":"x","email":"y"}') as unknown })
  t.strictSame(await entriesOf(Buffer.from('id,email\n1,\xFF\n', 'latin1')), [{ line: 2, fault: 'not_utf8' }])
})

t.test('the users of each document of an array are entries, and where the first has none it is one itself', async t => {
  const realm = (users: string, name = 'users') => `{"a":[{"users":[{}]}],"b":{"users":[{}]},\n"${name}" : [${users}],\n"clients":[{"users":[{"x":1}]}]}`
  const file = `[${realm('\n{"a":1,"users":[{"b":2}]},{"a":2}')},\n{"realm":"empty"},${realm('')},${realm('{"a":3}')}]`
  const entries = [{ line: 3, value: { a: 1, users: [{ b: 2 }] } }, { line: 3, value: { a: 2 } }, { line: 8, value: { a: 3 } }]
  for (const size of [1, 2, 17, 1000]) t.strictSame(await entriesOf(file, size), entries)
  t.strictSame(await entriesOf(file.replace('\n{"a":1', `\n${FILLER}{"a":1`)), entries)
  t.strictSame(await entriesOf('[{"realm":"empty"},\n{"users":[{"a":1}]}]'), [{ line: 1, value: { realm: 'empty' } }, { line: 2, value: { a: 1 } }])
  t.strictSame(await entriesOf('[{"users":[{"a":1}'), [{ line: 1, fault: 'file_ends_within' }])
})

t.test('rows of CSV without names are lists, each on a line, as long as the first, whatever users wrote into them', async t => {
  const row = (...fields: string[]) => [...fields, ...Array.from({ length: 26 - fields.length }, () => ''), 'end'].join(',')
  const list = (...fields: Array<string | null>) => [...fields, ...Array.from({ length: 26 - fields.length }, () => null), 'end']
  const file = [
    row('1', 'ada@example.com', '"Ada, the "first" one"'), '', row('2', '"Ada"', 'x"y', '"{""a"":""b"",""c"":""d\\"e""}"'), row('3', '5" wide', '"open'), row('4', 'a', 'b') + ',more', row('5', '"a', 'b"', 'c'), row('6', 'x\xFF'),
    `7${'x'.repeat(MAX_ENTRY)}`, row('8'), row('9', 'cut').slice(0, 9),
  ].join('\r\n')
  const entries = [
    { line: 1, value: list('1', 'ada@example.com', 'Ada, the "first" one') }, { line: 3, value: list('2', 'Ada', 'x"y', '{"a":"b","c":"d\\"e"}') }, { line: 4, value: list('3', '5" wide', '"open') },
    { line: 5, fault: 'not_csv' }, { line: 6, fault: 'not_csv' }, { line: 7, fault: 'not_utf8' }, { line: 8, fault: 'entry_too_long' }, { line: 9, value: list('8') }, { line: 10, fault: 'not_csv' },
  ]
  for (const size of [1000, 100_000]) t.strictSame(await entriesOf(Buffer.from(file, 'latin1'), size), entries)
  const names = Array.from({ length: 27 }, (_, at) => `name${at}`).join(',')
  t.match(await entriesOf(`${names}\n${row('1')}`), [{ line: 2, value: { name0: '1', name1: null, name26: 'end' } }], 'names are names')
})

t.test('what is no JSON in UTF-8 is said, and the next is read', async t => {
  const good = { line: 3, value: {} }
  for (const [bad, fault] of [['{"a":"\xE9"}', 'not_utf8'], ['{"a":1', 'not_json'], ['{"a":"\0"}', 'not_json'], ['\0', 'not_json'], ['plain', 'not_json'], [`{"a":"${'x'.repeat(MAX_ENTRY)}"}`, 'entry_too_long']] as const) {
    t.strictSame(await entriesOf(Buffer.from(`\n${bad}\n{}\n`, 'latin1'), 1000, 'lines'), [{ line: 2, fault }, good], fault)
    t.strictSame(await entriesOf(Buffer.from(`{}\n${bad}\n{}\n`, 'latin1')), [{ line: 1, value: {} }, { line: 2, fault }, good], fault)
    t.strictSame((await entriesOf(Buffer.from(`[\n${bad}${bad.startsWith('{') && !bad.endsWith('}') ? '}x' : ''},\n{}]`, 'latin1')))[0], { line: 2, fault }, fault)
  }
  t.strictSame(await entriesOf(`{}\n${'['.repeat(MAX_ENTRY - 1)}\n{}`), [{ line: 1, value: {} }, { line: 2, fault: 'not_json' }, good])
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  t.match(await entriesOf(`[\n${deep},\n\n{}]`), [{ line: 2, value: [] }, { line: 4, value: {} }])
})

t.test('a file that is cut off, or has no users, says so', async t => {
  for (const [file, line, found] of [['[{"a":1}', 1, 0], ['[{"a":1},\n{"a":', 2, 1], ['{"users":[{"a":1}]', 1, 1], ['[\n{"a":"', 2, 0], ['{\n"realm":"x"}', 2, 0], ['{\n"users":{"a":[1]}}', 2, 0]] as const) {
    const entries = await entriesOf(file)
    t.strictSame(entries.at(-1), { line, fault: 'file_ends_within' }, file)
    t.equal(entries.length, found + 1, file)
  }
})
