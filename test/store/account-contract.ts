// What every store must do with accounts that an operator or their user closes: disabled, deleted, with roles, with another password; races included.
import { randomUUID } from 'node:crypto'
import type { KeptEvent } from '../../src/core/events.js'
import type { Family } from '../../src/core/families.js'
import type { OpenFamily, Store, User } from '../../src/store/store.js'
import { newFamily, newUser, proveOn, race, type Open } from './store-contract.js'

const BY = '$set 0123abcd'
const live = { createdAfter: 0, advancedAfter: 0 }
const closing = { at: 5000, countsAfter: 0 }
const ROLES = ['$roles', 'billing:read', 'org/admin']

/** Users with a log-in, one that is numbered, and what a client was let do. */
function familiesOfAll (): [Family, Family, Family] {
  return [newFamily(1000), { ...newFamily(2000), serial: 7 }, { ...newFamily(3000), grant: { clientId: 'client', scope: 'openid', audience: [], authenticatedAt: 900 } }]
}

function closingsOf (families: Family[], at = 5000) {
  return families.filter(({ serial, grant }) => serial !== undefined || grant).map(({ id, serial }) => ({ id, ...(serial !== undefined && { serial }), at }))
}

function opening (user: User, change: Partial<OpenFamily> = {}): OpenFamily {
  return { userId: user.id, verifiedHash: user.passwordHash, passwordHash: user.passwordHash, roles: user.roles, family: newFamily(), live, limit: 100, policy: 'evict', closing, ...change }
}

/** Runs the contract of accounts on the stores that `open` returns. */
export function proveAccounts (open: Open): void {
  const prove = proveOn(open)
  const insert = async (store: Store, families: Family[] = familiesOfAll(), more: Partial<User> = {}) => {
    const user: User = { ...newUser(), families, ...more }
    await store.insertUser(user)
    return user
  }

  prove('a new store has no user', async (t, store) => {
    t.strictSame(await store.listUsers('', 10), [])
  })

  prove('a user is kept whole with roles, disabled or deleted', async (t, store) => {
    const [roles, disabled] = [await insert(store, [], { roles: ROLES }), await insert(store, [], { roles: ROLES, disabledAt: 4000, lastDisabledAt: 3000 })]
    for (const user of [roles, disabled]) {
      t.strictSame(await store.findUser(user.id), user)
      t.strictSame(await store.findUserByEmail(user.email), user)
    }
    const deleted = await insert(store, [], { passwordHash: '', deletedAt: 4000, closed: [{ id: randomUUID(), serial: 3, at: 4000 }] })
    t.strictSame((await store.listUsers('', 10)).find(({ id }) => id === deleted.id), deleted)
  })

  prove('disabling closes every family in the same write, keeps what was closed, and opens none from then on; enabled, a log-in is one as before', async (t, store) => {
    const user = await insert(store, familiesOfAll(), { roles: ROLES })
    t.equal(await store.disableUser({ userId: user.id, live: { createdAfter: 0, advancedAfter: 1000 }, closing }), 2, 'those that were live')
    const disabled = { ...user, families: [], closed: closingsOf(user.families), disabledAt: 5000 }
    t.strictSame(await store.findUser(user.id), disabled)
    t.match(await store.listClosings({ closedAfter: 4000, userId: '' }, 10), [{ userId: user.id, closedAt: 5000 }])
    for (const change of [{}, { session: user.families[0]!.id }, { replaces: user.families[0]!.id }]) t.equal(await store.openFamily(opening(user, change)), 'stale')
    t.equal(await store.disableUser({ userId: user.id, live, closing: { ...closing, at: 6000 } }), 0)
    t.strictSame(await store.findUser(user.id), disabled, 'since the first time')
    t.ok(await store.enableUser(user.id))
    t.notOk(await store.enableUser(user.id))
    const { disabledAt, ...enabled } = disabled
    t.strictSame(await store.findUser(user.id), { ...enabled, lastDisabledAt: disabledAt })
    t.equal(await store.openFamily(opening(user, { session: user.families[0]!.id })), 'stale', 'what was closed stays closed')
    t.equal(await store.openFamily(opening(user)), 'opened')
    t.equal(await store.disableUser({ userId: randomUUID(), live, closing }), undefined)
    t.notOk(await store.enableUser(randomUUID()))
  })

  prove('of a user who is deleted nothing is left but the id and what was closed', async (t, store) => {
    const closed = [{ id: randomUUID(), serial: 3, at: 4000 }]
    const user = await insert(store, familiesOfAll(), { name: 'Ada', roles: ROLES, disabledAt: 10, lastDisabledAt: 5, emailVerified: true, failed: { since: 1, known: 2, stranger: 3 }, closed })
    t.ok(await store.deleteUser({ userId: user.id, closing }))
    const left = { id: user.id, email: user.id, name: null, passwordHash: '', createdAt: 5000, families: [], roles: [], closed: [...closed, ...closingsOf(user.families)], deletedAt: 5000 }
    t.strictSame(await store.listUsers('', 10), [left])
    t.match(await store.listClosings({ closedAfter: 4000, userId: '' }, 10), [{ userId: user.id, closedAt: 5000, closed: left.closed }])
    t.equal(await store.highestSerial(), 7)
    t.strictSame([await store.findUser(user.id), await store.findUserByEmail(user.email), await store.findUserByEmail(user.id), await store.searchUsers({}, '', 10)], [undefined, undefined, undefined, []])
    for (const verifiedHash of [user.passwordHash, '']) t.equal(await store.openFamily(opening(user, { verifiedHash, roles: [] })), 'stale')
    t.strictSame([
      await store.deleteUser({ userId: user.id, closing }), await store.enableUser(user.id), await store.resetPassword({ userId: user.id, email: user.email, verifiedHash: '', passwordHash: 'new', closing }),
      await store.disableUser({ userId: user.id, live, closing }), await store.setRoles({ userId: user.id, roles: ROLES }), await store.setRoles({ userId: user.id, roles: ROLES, closes: { live, closing } }),
    ], [false, false, false, undefined, undefined, undefined])
    t.equal(await store.takeGuess({ userId: user.id, count: { by: 'known' }, now: 1, window: 1, max: 2, maxDevices: 2 }), undefined)
    t.equal(await store.closeAllFamilies({ userId: user.id, live, closing: { at: 9000, countsAfter: 0 } }), 0)
    t.strictSame(await store.listUsers('', 10), [left])
    t.equal(await store.insertUser({ ...newUser(), email: user.email }), 'inserted', 'the address is anybody\'s again')
    t.notOk(await store.deleteUser({ userId: randomUUID(), closing }))
  })

  prove('of a user who is deleted no event is kept any more, whoever brings it late, but for the one that says so', async (t, store) => {
    const [user, other] = [await insert(store), await insert(store)]
    const eventOf = (userId: string, kind: KeptEvent['kind']): KeptEvent => ({ id: randomUUID(), at: 1, kind, userId, ip: '203.0.113.7' })
    const [deleted, kept, nobodys] = [eventOf(user.id, 'user.deleted'), eventOf(other.id, 'login.succeeded'), { id: randomUUID(), at: 1, kind: 'limit.hit' as const }]
    await store.deleteUser({ userId: user.id, closing })
    await store.insertEvents([eventOf(user.id, 'login.succeeded'), deleted, eventOf(user.id, 'family.closed'), kept, nobodys])
    t.strictSame(new Set((await store.listEvents({ limit: 10 })).map(({ id }) => id)), new Set([deleted.id, kept.id, nobodys.id]))
  })

  prove('a user is deleted by a password from a family that lives, and by none that is stale', async (t, store) => {
    const [user, other] = [await insert(store), await insert(store)]
    const [caller] = user.families
    const proof = { verifiedHash: user.passwordHash, callerId: caller!.id, live }
    const stale = [{ verifiedHash: 'other' }, { callerId: randomUUID() }, { callerId: other.families[0]!.id }, { live: { createdAfter: 1000, advancedAfter: 0 } }, { live: { createdAfter: 0, advancedAfter: 1000 } }]
    for (const change of stale) t.notOk(await store.deleteUser({ userId: user.id, closing, proof: { ...proof, ...change } }))
    t.strictSame(new Set((await store.findUser(user.id))?.families), new Set(user.families))
    t.ok(await store.deleteUser({ userId: user.id, closing, proof }))
    t.equal(await store.findUser(user.id), undefined)
    t.strictSame(await store.findUser(other.id), other)
  })

  prove('those who were deleted are forgotten when what was closed counts no more, and nobody else is', async (t, store) => {
    const [user, bare, late, kept] = [await insert(store), await insert(store, []), await insert(store, [], { closed: [{ id: randomUUID(), serial: 1, at: 9000 }] }), await insert(store)]
    const eventOf = (userId: string, kind: KeptEvent['kind']): KeptEvent => ({ id: randomUUID(), at: 1, kind, userId })
    const events = [eventOf(user.id, 'login.succeeded'), eventOf(user.id, 'user.deleted'), eventOf(late.id, 'login.succeeded'), eventOf(kept.id, 'login.succeeded')]
    await store.insertEvents(events)
    for (const { id } of [user, bare, late]) await store.deleteUser({ userId: id, closing })
    t.equal(await store.dropDeleted(5000), 0)
    t.strictSame(new Set((await store.listEvents({ limit: 10 })).map(({ id }) => id)), new Set([events[1]!.id, events[3]!.id]), 'at once their events, which one that was killed left, but for the one that says so')
    t.equal(await store.dropDeleted(5001), 2)
    t.strictSame((await store.listUsers('', 10)).map(({ id }) => id), [late.id, kept.id].sort())
    t.equal(await store.dropDeleted(9001), 1, 'what a clock that was ahead closed counts for as much longer')
    t.strictSame(await store.listUsers('', 10), [kept])
    t.equal(await store.insertUser(newUser()), 'inserted')
  })

  prove('roles are set and taken away, a refresh tells of them, and they are closed with where that is asked', async (t, store) => {
    const user = await insert(store)
    const [family] = user.families
    const advance = async (from: number) => (await store.advanceFamily({ userId: user.id, familyId: family!.id, from, to: from + 1, now: 2000, by: BY, live }))?.roles
    t.strictSame(await advance(0), [])
    t.equal(await store.setRoles({ userId: user.id, roles: ROLES }), 0)
    t.strictSame(await advance(1), ROLES)
    t.match(await store.findUser(user.id), { roles: ROLES, families: { length: 3 } })
    t.equal(await store.openFamily(opening(user)), 'stale', 'a log-in that the change overtook')
    t.equal(await store.openFamily(opening({ ...user, roles: ROLES })), 'opened')
    t.equal(await store.setRoles({ userId: user.id, roles: [], closes: { live, closing } }), 4)
    const { closed, ...after } = (await store.findUser(user.id))!
    t.strictSame(after, { ...user, families: [] })
    t.strictSame(new Set(closed), new Set(closingsOf(user.families)))
    t.equal(await store.openFamily(opening({ ...user, roles: ROLES })), 'stale')
    t.equal(await store.openFamily(opening(user)), 'opened')
    for (const closes of [undefined, { live, closing }]) t.equal(await store.setRoles({ userId: randomUUID(), roles: [], closes }), undefined)
  })

  prove('a password is set anew where it is still the one that was, of a user who is not disabled, and closes every family', async (t, store) => {
    const user = await insert(store)
    const change = { userId: user.id, email: user.email, verifiedHash: user.passwordHash, passwordHash: '$new', closing }
    t.notOk(await store.resetPassword({ ...change, verifiedHash: 'other' }))
    t.notOk(await store.resetPassword({ ...change, email: 'other@example.com' }))
    t.notOk(await store.resetPassword({ ...change, userId: randomUUID() }))
    t.strictSame(new Set((await store.findUser(user.id))?.families), new Set(user.families))
    t.ok(await store.resetPassword(change))
    t.strictSame(await store.findUser(user.id), { ...user, passwordHash: '$new', families: [], closed: closingsOf(user.families) })
    t.notOk(await store.resetPassword(change), 'once')
    t.equal(await store.openFamily(opening(user)), 'stale')
    await store.disableUser({ userId: user.id, live, closing })
    t.notOk(await store.resetPassword({ ...change, verifiedHash: '$new' }))
  })

  prove('a password that is set by whoever has the address proves it, and one that is set otherwise leaves that as it was', async (t, store) => {
    const users = await Promise.all([{}, { emailVerified: false }, { emailVerified: true }].map(async more => await insert(store, [], more)))
    const reset = async (proves?: 'email') => await Promise.all(users.map(async user => {
      const { passwordHash } = (await store.findUser(user.id))!
      t.ok(await store.resetPassword({ userId: user.id, email: user.email, verifiedHash: passwordHash, passwordHash: `${passwordHash}+`, closing, proves }))
      return (await store.findUser(user.id))!.emailVerified
    }))
    t.strictSame(await reset(), [undefined, false, true])
    t.strictSame(await reset('email'), [true, true, true])
  })

  prove('an address is proved once, by a user who has it and is not disabled', async (t, store) => {
    for (const more of [{}, { emailVerified: false }]) {
      const user = await insert(store, familiesOfAll(), more)
      const proof = { userId: user.id, email: user.email }
      for (const other of [{ userId: randomUUID() }, { email: 'other@example.com' }, { email: user.id }]) t.notOk(await store.verifyEmail({ ...proof, ...other }))
      t.equal((await store.findUser(user.id))!.emailVerified, user.emailVerified)
      t.ok(await store.verifyEmail(proof))
      t.match(await store.findUser(user.id), { ...user, families: { length: 3 }, emailVerified: true })
      t.notOk(await store.verifyEmail(proof), 'once')
    }
    const disabled = await insert(store, [], { disabledAt: 1 })
    t.notOk(await store.verifyEmail({ userId: disabled.id, email: disabled.email }))
    const deleted = await insert(store)
    await store.deleteUser({ userId: deleted.id, closing })
    t.notOk(await store.verifyEmail({ userId: deleted.id, email: deleted.id }))
  })

  prove('an address is changed where hash and address are still those of then, to one that nobody has, and is proved', async (t, store) => {
    const [user, other] = [await insert(store, familiesOfAll(), { emailVerified: false }), await insert(store, [])]
    const to = `new-${randomUUID()}@example.com`
    const change = { userId: user.id, from: user.email, to, verifiedHash: user.passwordHash }
    for (const stale of [{ userId: randomUUID() }, { from: 'other@example.com' }, { verifiedHash: 'other' }]) t.equal(await store.changeEmail({ ...change, ...stale }), 'stale')
    t.equal(await store.changeEmail({ ...change, to: other.email }), 'email_taken')
    t.strictSame([(await store.findUser(user.id))?.email, await store.findUserByEmail(to), await store.findUserByEmail(other.email)], [user.email, undefined, other])
    t.equal(await store.changeEmail(change), 'changed')
    t.match(await store.findUserByEmail(to), { ...user, families: { length: 3 }, email: to, emailVerified: true })
    t.equal(await store.findUserByEmail(user.email), undefined)
    t.equal(await store.changeEmail(change), 'stale', 'once')
    t.equal(await store.insertUser({ ...newUser(), email: user.email }), 'inserted', 'the one before is anybody\'s again')
    t.equal(await store.changeEmail({ ...change, from: to, to }), 'changed', 'to itself')
    await store.disableUser({ userId: user.id, live, closing })
    t.equal(await store.changeEmail({ ...change, from: to, to: user.id }), 'stale')
    await store.deleteUser({ userId: other.id, closing })
    t.equal(await store.changeEmail({ userId: other.id, from: other.id, to: other.email, verifiedHash: '' }), 'stale')
  })

  prove('of many who make one address theirs one does, and each of the others is told so', async (t, store, stores) => {
    const to = `wanted-${randomUUID()}@example.com`
    const users = await Promise.all(Array.from({ length: 12 }, async () => await insert(store, [])))
    const outcomes = await Promise.all(users.map(async (user, at) => await stores[at % stores.length]!.changeEmail({ userId: user.id, from: user.email, to, verifiedHash: user.passwordHash })))
    t.strictSame(outcomes.toSorted(), ['changed', ...Array.from({ length: 11 }, () => 'email_taken')])
    t.equal((await store.findUserByEmail(to))?.id, users[outcomes.indexOf('changed')]!.id)
  })

  prove('users are searched by a part of the address, whether they are disabled, and when they came, a page at a time in the order of their ids', async (t, store) => {
    const people = await Promise.all(['ada@example.com', 'adam@example.org', 'b.a%_d*a$@example.com', 'c\\(@example.com'].map(async (email, at) => await insert(store, [], { email, createdAt: 1000 * at, ...(at % 2 === 1 && { disabledAt: 1 }) })))
    await store.deleteUser({ userId: (await insert(store, [])).id, closing })
    const find = async (filter: Parameters<Store['searchUsers']>[0]) => (await store.searchUsers(filter, '', 10)).map(({ email }) => email).sort()
    t.strictSame(await find({}), people.map(({ email }) => email).sort())
    t.strictSame(await find({ emailPart: 'ada' }), ['ada@example.com', 'adam@example.org'])
    for (const part of ['%_', '*a$@', '.a%']) t.strictSame(await find({ emailPart: part }), ['b.a%_d*a$@example.com'], part)
    for (const part of ['\\(', '(']) t.strictSame(await find({ emailPart: part }), ['c\\(@example.com'], part)
    for (const part of ['$email', '.*', 'ADA']) t.strictSame(await find({ emailPart: part }), [], part)
    t.strictSame(await find({ isDisabled: true }), ['adam@example.org', 'c\\(@example.com'])
    t.strictSame(await find({ isDisabled: false }), ['ada@example.com', 'b.a%_d*a$@example.com'])
    t.strictSame(await find({ createdSince: 2000 }), ['b.a%_d*a$@example.com', 'c\\(@example.com'])
    t.strictSame(await find({ emailPart: 'example.com', isDisabled: false, createdSince: 1 }), ['b.a%_d*a$@example.com'])
    const sorted = people.toSorted((one, other) => one.id < other.id ? -1 : 1)
    const pages = [await store.searchUsers({}, '', 3), await store.searchUsers({}, sorted[2]!.id, 3), await store.searchUsers({}, sorted[3]!.id, 3)]
    t.strictSame(pages, [sorted.slice(0, 3), sorted.slice(3), []])
  })

  for (const [way, close] of [
    ['disabled', async (store: Store, userId: string) => await store.disableUser({ userId, live, closing }) !== undefined],
    ['deleted', async (store: Store, userId: string) => await store.deleteUser({ userId, closing })],
    ['given other roles', async (store: Store, userId: string) => await store.setRoles({ userId, roles: ROLES, closes: { live, closing } }) !== undefined],
    ['given another password', async (store: Store, userId: string) => await store.resetPassword({ userId, email: (await store.findUser(userId))!.email, verifiedHash: newUser().passwordHash, passwordHash: '$new', closing })],
  ] as const) {
    prove(`no family of a user who is ${way} survives the log-ins, refreshes and redeemed codes that it races with`, async (t, store, stores) => {
      for (let round = 0; round < 6; round++) {
        const [session, ...others] = Array.from({ length: 4 }, () => newFamily()) as [Family, ...Family[]]
        const user = await insert(store, [session, ...others])
        const outcomes = await race(async index => {
          const racer = stores[index % stores.length]!
          if (index === 20) return await close(racer, user.id)
          const family = others[index % others.length]!
          if (index % 3 === 0) return await racer.advanceFamily({ userId: user.id, familyId: family.id, from: 0, to: 1, now: 2000, by: BY, live })
          if (index % 3 === 1) return await racer.openFamily(opening(user))
          return await racer.openFamily(opening(user, { session: session.id, family: { ...newFamily(), grant: { clientId: 'client', scope: '', audience: [], authenticatedAt: 1 } } }))
        })
        t.equal(outcomes[20], true)
        const after = (await store.listUsers('', 1_000)).find(({ id }) => id === user.id)
        t.strictSame(after?.families, [])
        t.equal(await store.openFamily(opening(user)), 'stale')
        // Each that was opened by a client left its closing.
        t.equal(after?.closed?.length ?? 0, outcomes.filter((outcome, index) => outcome === 'opened' && index % 3 === 2).length)
      }
    })
  }

  prove('of 64 who set a password by one right one does, and a disabling or deletion that races leaves none', async (t, store, stores) => {
    const user = await insert(store)
    const reset = async (racer: Store, index: number) => await racer.resetPassword({ userId: user.id, email: user.email, verifiedHash: user.passwordHash, passwordHash: `$new ${index}`, closing })
    const outcomes = await race(async index => await reset(stores[index % stores.length]!, index))
    t.equal(outcomes.filter(Boolean).length, 1)
    t.equal((await store.findUser(user.id))?.passwordHash, `$new ${outcomes.indexOf(true)}`)
    const deletions = await race(async index => await stores[index % stores.length]!.deleteUser({ userId: user.id, closing }))
    t.equal(deletions.filter(Boolean).length, 1)
  })
}
