// The document of security has a row for each requirement, in order, with a verdict, and names no test that is not there.
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

/** The requirements of OWASP ASVS 5.0.0 in the chapters that the document is about: of levels 1 and 2, as many as each section has, by their level. */
const SECTIONS: Record<string, string> = {
  2.1: '122', 2.2: '112', 2.3: '1222', 2.4: '2',
  6.1: '122', 6.2: '111111112222', 6.3: '1122', 6.4: '1122', 6.5: '22222', 6.6: '222', 6.8: '2222',
  7.1: '222', 7.2: '1111', 7.3: '22', 7.4: '11222', 7.5: '22', 7.6: '22',
  9.1: '111', 9.2: '1222',
  10.1: '22', 10.2: '22', 10.3: '2222', 10.4: '11111222222', 10.5: '22222', 10.6: '22', 10.7: '222',
}
const VERDICTS = ['met', 'not met', 'not applicable']

interface Row { number: string, level: string, verdict: string, reason: string }

const text = readFileSync('docs/security.md', 'utf8')
const rows = [...text.matchAll(/^\| (\d+\.\d+\.\d+) \| (\d) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, number, level, verdict, reason]): Row => ({ number: number!, level: level!, verdict: verdict!, reason: reason! }))

/** The names of the tests that a row tells of, each with its file. */
function testsOf ({ reason }: Row): Array<[file: string, name: string]> {
  return [...reason.matchAll(/`(test\/[\w./-]+)` (\*[^*]+\*(?:, \*[^*]+\*)*)/g)].flatMap(([, file, names]) => [...names!.matchAll(/\*([^*]+)\*/g)].map(([, name]): [string, string] => [file!, name!]))
}

/** The names of the tests of a file, those of contracts too. */
function namesIn (file: string): string[] {
  return existsSync(file) ? [...readFileSync(file, 'utf8').matchAll(/^\s*(?:t\.test|prove)\('((?:[^'\\]|\\.)*)',/gm)].map(([, name]) => name!.replaceAll(/\\(.)/g, '$1')) : []
}

t.test('each requirement of levels 1 and 2 has one row, with its level, in the order of the standard', async t => {
  const expected = Object.entries(SECTIONS).sort(([one], [other]) => inOrder(`${one}.0`, `${other}.0`)).flatMap(([section, levels]) => [...levels].map((level, at) => [`${section}.${at + 1}`, level]))
  t.strictSame(rows.filter(({ level }) => level !== '3').map(({ number, level }) => [number, level]), expected)
  t.equal(text.match(/^\| \d/gm)!.length, rows.length, 'no row is of another form')
  const numbers = rows.map(({ number }) => number)
  t.strictSame(numbers, [...new Set(numbers)].sort(inOrder), 'those of level 3 stand in their places')
})

t.test('each row has a verdict, one that is met a test, any other a reason, and what is of level 3 is met', async t => {
  for (const row of rows) {
    t.ok(VERDICTS.includes(row.verdict), `${row.number}: ${row.verdict}`)
    if (row.verdict === 'met') t.ok(testsOf(row).length > 0, `${row.number} has a test`)
    else t.match(row.reason, /^[A-Z]/, `${row.number} has a reason`)
    if (row.level === '3') t.equal(row.verdict, 'met', row.number)
  }
})

t.test('each test that is named is there', async t => {
  for (const row of rows) {
    const tests = testsOf(row)
    t.equal(tests.length, (row.reason.match(/\*[^*]+\*/g) ?? []).length, `${row.number} names the file of each test`)
    for (const [file, name] of tests) t.ok(namesIn(file).includes(name), `${row.number}: ${file}: ${name}`)
  }
})

function inOrder (one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}
