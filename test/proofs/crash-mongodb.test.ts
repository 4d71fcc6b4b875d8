// Nothing that was answered is lost when the database crashes under Signet; twenty rounds are `npm run prove:crash -- --store mongodb`.
import mongoose from 'mongoose'
import t from 'tap'
import { proveCrashes } from './crash-rounds.js'
import { SERVER } from '../server-process.js'
import { withPrivateMongoDb } from '../store/mongo-server.js'

withPrivateMongoDb(17219, database => {
  t.test('no answered registration, log-in, password change or revocation is lost to a crash of the database, and nobody honest is logged out', async t => {
    const { lost, answered } = await proveCrashes({ rounds: 3, command: SERVER, database })
    t.strictSame(lost, [])
    t.ok(answered.refreshes > 0 && answered.revocations > 0, JSON.stringify(answered))
  })

  t.test('the proof sees a database that forgets', async t => {
    const crash = async () => {
      const client = await mongoose.mongo.MongoClient.connect(database.url)
      await client.db().collection('users').deleteMany({})
      await client.close()
      await database.crash()
    }
    const { lost } = await proveCrashes({ rounds: 1, command: SERVER, database: { url: database.url, start: async () => { await database.start() }, crash } })
    t.ok(lost.includes('an honest client was logged out: 401'), 'families')
    t.ok(lost.includes('an answered registration was lost') || lost.includes('neither the answered password nor the attempted one logs in'), 'accounts')
  })
})
