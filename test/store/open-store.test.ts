// What a DATABASE_URL decides, and what it says when it cannot be used; opens no connection.
import t from 'tap'
import { mongoClient } from '../../src/store/mongo-store.js'
import { openStore } from '../../src/store/open-store.js'

t.test("the URL's own options count, and an authority's defaults elsewhere", async t => {
  const { options } = mongoClient('mongodb://127.0.0.1:1/?maxpoolsize=7&socketTimeoutMS=900')
  t.strictSame([options.socketTimeoutMS, options.maxPoolSize, options.serverSelectionTimeoutMS, options.appName], [900, 7, 2000, 'signet'])
  t.equal(mongoClient('mongodb://127.0.0.1:1').options.socketTimeoutMS, 2000)
})

t.test('a URL that the driver cannot use stops the start with a sentence that holds nothing of it but the name of an option', t => {
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
      openStore(url)
      t.fail(url)
    } catch (error) {
      t.strictSame([(error as Error).message, (error as Error).cause], [`The MongoDB URL of the store cannot be used: ${fault}.`, undefined], url)
    }
  }
  t.end()
})
