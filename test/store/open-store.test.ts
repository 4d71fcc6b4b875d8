// What a DATABASE_URL decides, and what it says when it cannot be used; opens no connection.
import t from 'tap'
import { mongoClient } from '../../src/store/mongo-store.js'
import { openStore } from '../../src/store/open-store.js'

t.test("the URL's own options count, and an authority's defaults elsewhere", async t => {
  const { options } = mongoClient('mongodb://127.0.0.1:1/?maxpoolsize=7&socketTimeoutMS=900')
  t.strictSame([options.socketTimeoutMS, options.maxPoolSize, options.serverSelectionTimeoutMS, options.appName], [900, 7, 2000, 'signet'])
  t.equal(mongoClient('mongodb://127.0.0.1:1').options.socketTimeoutMS, 2000)
})

t.test('a URL that the driver cannot use stops the start with a sentence that keeps its password', async t => {
  t.throws(() => openStore('mongodb://ada:secret@127.0.0.1:1/?maxPoolSize=many'), { message: /^The store mongodb:\/\/…@127\.0\.0\.1:1\/\?maxPoolSize=many cannot be opened: .*maxPoolSize.*\.$/ })
})
