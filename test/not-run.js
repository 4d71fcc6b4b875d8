// The last lines of the suite: which tests did not run for want of a MongoDB, and how to have them; silent where all ran.
import { readdirSync, readFileSync } from 'node:fs'

const NEEDS = [
  { declaration: 'withMongoDb', setting: 'TEST_MONGODB_URL', meaning: 'the URL of a MongoDB, on which each test makes a database of its own' },
  { declaration: 'withPrivateMongoDb', setting: 'TEST_MONGODB_CONTROL', meaning: 'a folder with two programs, `start PORT` and `stop PORT [--crash]`, that control a MongoDB on that port' }
]

const tests = readdirSync('test', { recursive: true }).map(String).filter(name => name.endsWith('.test.ts'))

for (const { declaration, setting, meaning } of NEEDS) {
  if (process.env[setting]) continue
  const files = tests.filter(name => readFileSync(`test/${name}`, 'utf8').includes(`${declaration}(`))
  process.stdout.write(`\nNOT RUN: ${files.map(name => `test/${name}`).join(', ')}\nTo run them set ${setting}: ${meaning}.\n`)
}
