// The commands on users as an operator meets them, over the embedded file and over MongoDB.
import { freshDatabase, withMongoDb } from '../store/mongo-server.js'
import { proveUserCommands } from './user-journey.js'

proveUserCommands(() => undefined)

withMongoDb(server => { proveUserCommands(t => freshDatabase(t, server)) })
