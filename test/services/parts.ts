// Real parts for the services' tests: a file, a ring, a hasher; holds no double of any of them.
import { join } from 'node:path'
import type { Test } from 'tap'
import type { RecordEvent, SecurityEvent } from '../../src/core/events.js'
import { sharedHasher } from '../hashing/shared-hasher.js'
import { copyRing, openRing } from '../keyring/rings.js'
import { AccountService } from '../../src/services/account-service.js'
import { GuessLimits, type GuessLimitSettings } from '../../src/services/guess-limits.js'
import { openSecondFactors } from '../../src/services/open-second-factors.js'
import { StatusPlaces } from '../../src/services/status-places.js'
import { TokenService, type TokenParts } from '../../src/services/token-service.js'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import { workingFolder } from '../working-folder.js'

export const NOW = 1_800_000_000_000
export const DEVICE = { ip: '127.0.0.1', userAgent: null }
export const REQUESTER = { address: DEVICE.ip, isKnown: false }
export const ISSUER = 'https://signet.example'
export const PASSWORD = 'correct horse battery'
export const RETENTION = 900_000
export const STATUS_LISTS = 'https://signet.example/status-lists'
export const LIMITS = { idle: 1_000_000, absolute: 5_000_000, grace: 30_000 }

/** Services over a store that `overtake` can make another writer come first on, once; without limits for guesses unless they are given; `changes` are other parts for tokens. */
export async function openServices (t: Test, cost = 4, limits?: GuessLimitSettings, changes: Partial<TokenParts> = {}) {
  const folder = workingFolder(t)
  await copyRing(join(folder, 'keys'), NOW)
  const keyRing = await openRing({ folder: join(folder, 'keys') })
  const store = new SqliteStore(join(folder, 'signet.db'))
  const hasher = sharedHasher({ cost, queue: 100 })
  /** What was recorded: all, and the signs of a thief. */
  const events: SecurityEvent[] = []
  const signs: SecurityEvent[] = []
  const record: RecordEvent = event => {
    events.push(event)
    if (event.kind.startsWith('refresh.')) signs.push(event)
  }
  const places = new StatusPlaces(store, STATUS_LISTS)
  const accounts = new AccountService({ store, hasher, passwordMinLength: 8, registration: 'open', families: LIMITS, guesses: limits && new GuessLimits(limits, store), closingRetention: RETENTION, places, record })
  const parts: TokenParts = {
    store,
    keyRing,
    accessToken: { issuer: ISSUER, audience: 'api', clientId: 'web', ttl: 600 },
    families: LIMITS,
    maxActive: 3,
    policy: 'evict',
    closingRetention: RETENTION,
    places,
    record,
    ...changes,
  }
  const tokens = new TokenService(parts)
  const second = openSecondFactors({ store, keyRing, accounts, tokens, issuer: ISSUER, origins: [], isRequired: false, families: LIMITS, closingRetention: RETENTION, isLimited: limits !== undefined, record })
  t.teardown(async () => { await store.close() })
  const user = await accounts.register({ email: 'ada@example.com', password: PASSWORD, name: null }, DEVICE, NOW)
  const login = async (now = NOW) => (await tokens.open((await store.findUser(user.id))!, (await store.findUser(user.id))!.passwordHash, DEVICE, now))!
  return { parts, folder, store, hasher, keyRing, places, accounts, tokens, ...second, events, signs, user, login }
}

/** Lets `other` write just before the next call of a store's method does. */
export function overtake<Name extends 'openFamily' | 'changePassword' | 'advanceFamily' | 'deleteUser' | 'dropEventsOf' | 'resetPassword' | 'changeFactors'> (store: SqliteStore, name: Name, other: () => Promise<unknown>): void {
  const method = store[name].bind(store) as (change: never) => Promise<never>
  Object.defineProperty(store, name, {
    configurable: true,
    value: async (change: never) => {
      delete (store as Partial<SqliteStore>)[name]
      await other()
      return await method(change)
    },
  })
}
