// `npm run store:copy` from the embedded file to MongoDB.
import { join } from 'node:path'
import t from 'tap'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import { run, settings } from '../server-process.js'
import { freshDatabase, withMongoDb } from '../store/mongo-server.js'
import { copyJourney, STORE_COPY } from './copy-journey.js'

withMongoDb(server => {
  t.test('tokens that were issued on the file work on MongoDB', async t => {
    await copyJourney(t, () => freshDatabase(t, server))
  })

  t.test('a destination that does not answer is said with its cause', async t => {
    const env = settings(t)
    const path = join(t.testdirName, 'from.db')
    await new SqliteStore(path).close()
    t.match(await run(t, env, [...STORE_COPY, `file:${path}`, 'mongodb://127.0.0.1:1/signet']).ended, { code: 1, out: '', err: /^The store does not answer\. \(connect ECONNREFUSED 127\.0\.0\.1:1.*\)\n$/ })
  })
})
