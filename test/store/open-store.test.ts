// What a DATABASE_URL decides, and what it says when it cannot be used; opens no connection.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mongoClient } from '../../src/store/mongo-store.js'
import { openStore, unnamedDatabase } from '../../src/store/open-store.js'

t.test("the URL's own options count, and an authority's defaults elsewhere", async t => {
  const { options } = mongoClient('mongodb://127.0.0.1:1/?maxpoolsize=7&socketTimeoutMS=900')
  t.strictSame([options.socketTimeoutMS, options.maxPoolSize, options.serverSelectionTimeoutMS, options.appName], [900, 7, 2000, 'signet'])
  t.equal(mongoClient('mongodb://127.0.0.1:1').options.socketTimeoutMS, 2000)
})

t.test('a URL that the driver cannot use stops the start with a sentence that holds nothing of it but the name of an option', async t => {
  const form = 'it is not of the form mongodb://USER:PASSWORD@HOST/DATABASE?OPTION=VALUE, each part percent-encoded'
  const faults: Array<[string, string]> = [
    ['mongodb://ada:secret@127.0.0.1:1/?maxPoolSize=many', 'its option maxPoolSize cannot have that value'],
    ...[
      'ada:sec/ret@host', 'ada:sec/ret@host/?x=1', 'ada:s@c/ret@host', 'ada:s@cret@host', 'ada:sec?ret@host', 'ada:27?ret=@host', 'ada:sec#ret@host/', 'ada:sec%ret@host',
      'ada:sec:ret@host', 'ada:secret', 's:e/c@ret@[host', 'ada:secret@', 'ada:secret@host:port', 'ada:secret@host/?secret=1', 'ada:maxPoolSize/@host', '',
    ].map(rest => [`mongodb://${rest}`, form] as [string, string]),
  ]
  for (const [url, fault] of faults) {
    try {
      await openStore(url)
      t.fail(url)
    } catch (error) {
      t.strictSame([(error as Error).message, (error as Error).cause], [`The MongoDB URL of the store cannot be used: ${fault}.`, undefined], url)
    }
  }
})

t.test('what names neither kind of store is said to, and nothing of it', async t => {
  for (const url of ['data/signet.db', './signet.db', 'postgres://ada:secret@host/signet', 'mongodb:host', '']) await t.rejects(openStore(url), { message: 'A store is named as in DATABASE_URL, file:PATH or mongodb://HOST/DATABASE: this is neither.' }, url)
})

t.test('a file that cannot be the store is said in words, by the setting as it is written', async t => {
  const folder = t.testdir({ text: 'x'.repeat(5_000), folder: {} })
  for (const [path, why] of [
    [folder, 'it is a folder'],
    [join(folder, 'text'), 'it is not an SQLite database'],
    [join(folder, 'text', 'x.db'), 'a file stands in its way'],
    [`${folder}/${'x'.repeat(300)}`, 'its name is too long'],
    ['/dev/full', 'the disk is full'],
    [':memory:', 'a database in memory is none that lasts; name a file'],
    [`${folder}/x.db?mode=ro`, 'a file takes no options after a question mark'],
    ['//data/signet.db', 'between two slashes and the next there is a host; write file:./PATH from this folder on, or file:/PATH'],
  ]) await t.rejects(openStore(`file:${path!}`), { message: `The store file:${path!} cannot be opened: ${why!}.` }, path!)
  t.notOk(existsSync(join(folder, 'x.db?mode=ro')))
})

t.test('a file may be named as a URL names one', async t => {
  const path = join(t.testdir(), 'signet.db')
  await (await openStore(`file://${path}`)).close()
  t.ok(existsSync(path))
})

t.test('a comma with no host beside it stops the start, and does not end the process later', async t => {
  for (const hosts of ['127.0.0.1:1,', ',127.0.0.1:1', '127.0.0.1:1,,127.0.0.1:2']) await t.rejects(openStore(`mongodb://ada:secret@${hosts}/signet`), hosts)
  for (const hosts of ['127.0.0.1:1,[::1]:2', '%2Ftmp%2Fmongodb-27017.sock']) await (await openStore(`mongodb://ada:secret@${hosts}/signet`)).close()
})

t.test('the database that a URL leaves to MongoDB is known', async t => {
  const hosts = ['mongodb://127.0.0.1:1', 'mongodb+srv://db.example.com', 'mongodb://ada:secret@a.example:1,b.example:2']
  for (const host of hosts) {
    for (const rest of ['', '/', '?tls=true', '/?tls=true&authSource=admin']) t.equal(unnamedDatabase(host + rest), 'test', host + rest)
    for (const rest of ['/signet', '/signet?tls=true']) t.equal(unnamedDatabase(host + rest), undefined, host + rest)
  }
  t.equal(mongoClient('mongodb://127.0.0.1:1/?tls=true').db().databaseName, unnamedDatabase('mongodb://127.0.0.1:1/?tls=true'))
  t.equal(unnamedDatabase('file:./data/signet.db'), undefined)
})
