// What every store must do with the factors that a user has beside the password: kept whole, changed by one of many at once, and minded by log-ins.
import { randomUUID } from 'node:crypto'
import type { Factors } from '../../src/core/factors.js'
import type { ChangeFactors, OpenFamily, Store, User } from '../../src/store/store.js'
import { newFamily, newUser, proveOn, race, type Open } from './store-contract.js'

const live = { createdAfter: 0, advancedAfter: 0 }
const closing = { at: 5000, countsAfter: 0 }
const FACTORS: Factors = {
  version: 1,
  totp: { seed: '$seed', addedAt: 10, lastStep: 7 },
  passkeys: [{ id: '$id', publicKey: 'key', counter: 3, transports: ['internal', 'hybrid'], name: '$name', addedAt: 11, lastUsedAt: null, isBackedUp: true }, { id: 'other', publicKey: 'key', counter: 0, transports: [], name: 'stick', addedAt: 12, lastUsedAt: 13, isBackedUp: false }],
  recoveryCodes: ['$one', 'two'],
  spent: [{ id: '$challenge', until: 99 }],
}
const NEXT: Factors = { version: 2, passkeys: [], recoveryCodes: ['two'], spent: [] }

/** Runs the contract of factors on the stores that `open` returns. */
export function proveFactors (open: Open): void {
  const prove = proveOn(open)
  const insert = async (store: Store, more: Partial<User> = {}) => {
    const user: User = { ...newUser(), families: [newFamily(1000), { ...newFamily(2000), serial: 7 }], ...more }
    await store.insertUser(user)
    return user
  }
  const opening = (user: User, change: Partial<OpenFamily> = {}): OpenFamily => ({ userId: user.id, verifiedHash: user.passwordHash, passwordHash: user.passwordHash, roles: [], family: newFamily(), live, limit: 100, policy: 'evict', closing, ...change })
  const changing = (user: User, change: Partial<ChangeFactors> = {}): ChangeFactors => ({ userId: user.id, from: 0, factors: FACTORS, ...change })

  prove('a user is kept whole with factors, and a family with how the user proved who it is', async (t, store) => {
    const grant = { clientId: 'client', scope: 'openid', audience: [], authenticatedAt: 900, amr: ['pwd', 'otp', 'mfa'] }
    const user = await insert(store, { factors: FACTORS, families: [{ ...newFamily(1000), amr: ['$pwd', 'mfa'] }, { ...newFamily(1000), grant }] })
    t.strictSame(await store.findUser(user.id), user)
    t.strictSame(await store.listUsers('', 10), [user])
  })

  prove('factors are changed where they are of the version that was seen, by an operator or by a family that lives', async (t, store) => {
    const user = await insert(store)
    const caller = { id: user.families[0]!.id, live }
    t.strictSame([
      await store.changeFactors(changing(user, { from: 1 })), await store.changeFactors(changing(user, { caller: { id: randomUUID(), live } })), await store.changeFactors(changing(user, { caller: { ...caller, live: { createdAfter: 1000, advancedAfter: 0 } } })),
      await store.changeFactors(changing({ ...user, id: randomUUID() })),
    ], [false, false, false, false])
    t.strictSame(await store.findUser(user.id), user)
    t.ok(await store.changeFactors(changing(user, { caller })))
    t.strictSame(await store.findUser(user.id), { ...user, factors: FACTORS })
    t.notOk(await store.changeFactors(changing(user)), 'never seen')
    t.ok(await store.changeFactors(changing(user, { from: 1, factors: NEXT })))
    t.strictSame(await store.findUser(user.id), { ...user, factors: NEXT }, 'the one before is gone whole')
  })

  prove('a change of the factors closes the other families in the same write where that is asked, or all of them', async (t, store) => {
    const user = await insert(store)
    const [kept, gone] = [user.families[0]!, user.families[1]!]
    const closed = [{ id: gone.id, serial: 7, at: 5000 }]
    t.notOk(await store.changeFactors(changing(user, { from: 1, caller: { id: kept.id, live }, closesOthers: closing })))
    t.ok(await store.changeFactors(changing(user, { caller: { id: kept.id, live }, closesOthers: closing })))
    t.strictSame(await store.findUser(user.id), { ...user, families: [kept], closed, factors: FACTORS })
    t.ok(await store.changeFactors(changing(user, { from: 1, factors: NEXT, closesOthers: closing })))
    t.strictSame(await store.findUser(user.id), { ...user, families: [], closed, factors: NEXT })
  })

  prove('a log-in that a change of the factors overtook opens nothing; one that used a factor up keeps that in the same write', async (t, store) => {
    const user = await insert(store, { families: [] })
    t.equal(await store.openFamily(opening(user, { verifiedFactors: 1 })), 'stale')
    await store.changeFactors(changing(user))
    t.equal(await store.openFamily(opening(user)), 'stale', 'by the password alone')
    t.strictSame((await store.findUser(user.id))!.families, [])
    const families = [newFamily(), newFamily()]
    t.equal(await store.openFamily(opening(user, { verifiedFactors: 1, family: families[0]! })), 'opened')
    t.strictSame((await store.findUser(user.id))!.factors, FACTORS, 'which used nothing up')
    t.equal(await store.openFamily(opening(user, { verifiedFactors: 1, factors: NEXT, family: families[1]! })), 'opened')
    const after = await store.findUser(user.id)
    t.strictSame([after!.factors, after!.families.map(({ id }) => id).sort()], [NEXT, families.map(({ id }) => id).sort()])
    t.equal(await store.openFamily(opening(user, { verifiedFactors: 1, factors: NEXT })), 'stale', 'used up')
  })

  prove('of 64 log-ins at once that use the same up one is opened', async (t, store, stores) => {
    const user = await insert(store, { families: [], factors: FACTORS })
    const outcomes = await race(async index => await stores[index % stores.length]!.openFamily(opening(user, { verifiedFactors: 1, factors: NEXT, family: newFamily() })))
    t.strictSame(outcomes.sort(), ['opened', ...Array<string>(63).fill('stale')])
    t.equal((await store.findUser(user.id))!.families.length, 1)
  })

  prove('of 64 changes at once of one version one is made', async (t, store, stores) => {
    const user = await insert(store)
    const outcomes = await race(async index => await stores[index % stores.length]!.changeFactors(changing(user)))
    t.equal(outcomes.filter(Boolean).length, 1)
  })

  prove('a passkey is one user\'s: neither a change nor a log-in gives it to another, until it is gone from the first', async (t, store) => {
    const [id, free] = [randomUUID(), randomUUID()]
    const withPasskeys = (version: number, ...ids: string[]): Factors => ({ ...NEXT, version, passkeys: ids.map(id => ({ ...FACTORS.passkeys[1]!, id })) })
    const [first, second] = [await insert(store), await insert(store)]
    await insert(store, { factors: NEXT })
    t.ok(await store.changeFactors(changing(first, { factors: withPasskeys(1, id) })))
    t.notOk(await store.changeFactors(changing(second, { factors: withPasskeys(1, free, id) })))
    t.notOk(await store.changeFactors(changing(second, { factors: withPasskeys(1, id), closesOthers: closing })))
    t.equal(await store.openFamily(opening(second, { factors: withPasskeys(1, id) })), 'stale')
    t.strictSame(await store.findUser(second.id), second, 'which is as it was')
    t.ok(await store.changeFactors(changing(second, { factors: withPasskeys(1, free) })))
    t.equal(await store.openFamily(opening(first, { verifiedFactors: 1, factors: withPasskeys(2, id), family: newFamily() })), 'opened', 'whose it is')
    t.ok(await store.changeFactors(changing(first, { from: 2, factors: NEXT })))
    t.ok(await store.changeFactors(changing(second, { from: 1, factors: withPasskeys(2, id) })))
    await store.deleteUser({ userId: second.id, closing })
    const third = await insert(store, { factors: withPasskeys(1, id) })
    t.strictSame((await store.findUser(third.id))!.factors, withPasskeys(1, id), 'of somebody who is deleted')
    t.notOk(await store.changeFactors(changing(first, { from: 2, factors: withPasskeys(3, id) })), 'of somebody who was copied')
  })

  prove('of a user who is deleted no factor is left', async (t, store) => {
    const user = await insert(store, { factors: FACTORS, failedCodes: { since: 1, known: 2, stranger: 3 }, families: [] })
    t.strictSame(await store.findUser(user.id), user)
    await store.deleteUser({ userId: user.id, closing })
    const [left] = await store.listUsers('', 10)
    t.strictSame([left!.factors, left!.failedCodes], [undefined, undefined])
    t.notOk(await store.changeFactors(changing(user, { from: 1 })))
    t.notOk(await store.changeFactors(changing(user)))
  })
}
