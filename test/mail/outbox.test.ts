// The mails of a development: files that a mail program opens, and nobody else reads.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { outboxSender } from '../../src/mail/outbox.js'

t.test('each mail is a file of its own, in the order of time', async t => {
  const folder = join(t.testdir(), 'data', 'outbox')
  const told: string[] = []
  const clock = { now: 1_800_000_000_000 }
  const send = outboxSender(folder, { name: 'Signet', address: 'signet@localhost.invalid' }, { clock: () => clock.now, told: path => { told.push(path) } })
  const letter = { subject: 'Hello', text: 'Open https://id.example/account#reset-password=x\n', html: '<p>Open</p>' }
  await send('ada@example.com', letter)
  clock.now += 1000
  await send('grace@example.com', letter)
  const files = readdirSync(folder)
  t.strictSame(told, files.map(name => join(folder, name)))
  for (const name of files) t.match(name, /^2027-01-15T08-00-0[01]\.000Z-[\da-f]{8}\.eml$/)
  t.strictSame([statSync(folder).mode & 0o777, ...files.map(name => statSync(join(folder, name)).mode & 0o777)], [0o700, 0o600, 0o600])
  const [first] = files.map(name => readFileSync(join(folder, name), 'utf8'))
  t.match(first, /^To: ada@example\.com$/m)
  t.match(first, /^From: Signet <signet@localhost\.invalid>$/m)
  t.match(first, /Open https:\/\/id\.example\/account#reset-password=3Dx|Open https:\/\/id\.example\/account#reset-password=x/)
})
