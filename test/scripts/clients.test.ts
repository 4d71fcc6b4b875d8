// The commands on clients as an operator meets them, over the embedded file and over MongoDB.
import { freshDatabase, withMongoDb } from '../store/mongo-server.js'
import { proveClientCommands } from './client-journey.js'

proveClientCommands(() => undefined)

withMongoDb(server => { proveClientCommands(t => freshDatabase(t, server)) })
