// What every store must do, over the real thing, races included; an adapter's test says how to open one.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { MAX_CLOSINGS, type Closing } from '../../src/core/closings.js'
import type { Failures, GuessCount } from '../../src/core/failures.js'
import type { Family } from '../../src/core/families.js'
import { LIST_SIZE } from '../../src/core/status-list.js'
import type { ChangePassword, OpenFamily, Rename, Store, User } from '../../src/store/store.js'

const RACERS = 64
const HASH = '$2b$hash'
const BY = '$set 0123abcd'
const live = { createdAfter: 0, advancedAfter: 0 }
const closing = { at: 5000, countsAfter: 0 }

// What a user may send looks like an operator, a path or a quotation to one database or another.
export function newUser (): User {
  const id = randomUUID()
  return { id, email: `${id}@example.com`, name: null, passwordHash: HASH, createdAt: 1, families: [], roles: [] }
}

export function newFamily (advancedAt = 1000): Family {
  return { id: randomUUID(), generation: 0, createdAt: advancedAt, advancedAt, userAgent: '$email "$$ROOT" agent', ip: '::1' }
}

/** A family that a client was let in by. */
function newGranted (advancedAt = 1000, clientId: string = randomUUID()): Family {
  return { ...newFamily(advancedAt), grant: { clientId, scope: 'openid $scope', audience: ['$audience', 'https://api.example'], authenticatedAt: 900 } }
}

function opening (user: User, family: Family, change: Partial<OpenFamily> = {}): OpenFamily {
  return { userId: user.id, verifiedHash: HASH, passwordHash: HASH, roles: user.roles, family, live, limit: 10, policy: 'evict', closing, ...change }
}

function changing (user: User, callerId: string, family: Family, change: Partial<ChangePassword> = {}): ChangePassword {
  return { userId: user.id, verifiedHash: HASH, passwordHash: '$new', callerId, live, family, closing, ...change }
}

function renaming (user: User, callerId: string, change: Partial<Rename> = {}): Rename {
  return { userId: user.id, name: '$name "$$ROOT"', callerId, live, ...change }
}

/** What 64 get that all begin at once. */
export async function race<Result> (racer: (index: number) => Promise<Result>): Promise<Result[]> {
  return await Promise.all(Array.from({ length: RACERS }, async (_, index) => await racer(index)))
}

/** Opens stores of one database, as several processes would have them. */
export type Open = (t: Test) => Promise<[Store, ...Store[]]>

/** What declares a test of a rule, on stores that `open` returns. */
export function proveOn (open: Open): (rule: string, check: (t: Test, store: Store, stores: Store[]) => Promise<void>) => void {
  return (rule, check) => {
    void t.test(rule, async t => {
      const stores = await open(t)
      t.teardown(async () => { await Promise.all(stores.map(async store => { await store.close() })) })
      await check(t, stores[0], stores)
    })
  }
}

/** Runs the contract of users on the stores that `open` returns. */
export function proveStore (open: Open): void {
  const prove = proveOn(open)
  const insert = async (store: Store, families: Family[] = []) => {
    const user = newUser()
    await store.insertUser(user)
    for (const family of families) await store.openFamily(opening(user, family))
    return user
  }

  prove('a user that was inserted is found by id and by address', async (t, store) => {
    const user = { ...newUser(), name: '$name' }
    t.equal(await store.insertUser(user), 'inserted')
    t.strictSame(await store.findUser(user.id), user)
    t.strictSame(await store.findUserByEmail(user.email), user)
    t.equal(await store.findUser(randomUUID()), undefined)
    t.equal(await store.findUserByEmail('nobody@example.com'), undefined)
    await store.ping()
  })

  prove('a user comes whole, families and failures included, and a second of the same id or address is refused', async (t, store) => {
    const user = { ...newUser(), families: [newFamily(1000), { ...newFamily(2000), rotatedBy: BY, repeats: { at: 3, running: 2 } }], failed: { since: 1000, known: 1, stranger: 2, devices: { [randomUUID()]: 3 } }, closed: [{ id: randomUUID(), serial: 5, at: 7000 }] }
    t.equal(await store.insertUser(user), 'inserted')
    t.strictSame(await store.findUser(user.id), user)
    t.equal(await store.insertUser({ ...newUser(), id: user.id }), 'email_taken')
    t.equal(await store.insertUser({ ...newUser(), email: user.email }), 'email_taken')
    t.strictSame(await store.findUser(user.id), user)
  })

  prove('users that are inserted together are kept whole, and each is told what became of it', async (t, store) => {
    const [there, first, second, third] = [await insert(store), { ...newUser(), emailVerified: true, roles: ['$a', 'b'], disabledAt: 4000 }, { ...newUser(), emailVerified: false, name: '$name' }, newUser()]
    t.strictSame(await store.insertUsers([]), [])
    t.strictSame(await store.insertUsers([first]), ['inserted'])
    const others = [second, { ...newUser(), email: there.email }, { ...newUser(), id: there.id }, there, { ...newUser(), email: second.email }, { ...third, passwordHash: '' }, third]
    t.strictSame(await store.insertUsers(others), ['inserted', 'email_taken', 'id_taken', 'id_taken', 'email_taken', 'inserted', 'id_taken'])
    for (const user of [there, first, second, { ...third, passwordHash: '' }]) t.strictSame(await store.findUserByEmail(user.email), user)
    t.equal((await store.listUsers('', 10)).length, 4)
  })

  prove('racing insertions of the same users insert each once', async (t, store, stores) => {
    const users = Array.from({ length: 5 }, newUser)
    const outcomes = await Promise.all(Array.from({ length: 8 }, async (_, index) => await stores[index % stores.length]!.insertUsers(users)))
    for (const at of users.keys()) t.equal(outcomes.filter(outcome => outcome[at] === 'inserted').length, 1)
    t.equal((await store.listUsers('', 100)).length, 5)
  })

  prove('all users are listed in the order of their ids, a page at a time', async (t, store) => {
    const users = [newUser(), newUser(), newUser()].sort((one, other) => one.id < other.id ? -1 : 1)
    for (const user of users) await store.insertUser(user)
    const listed: User[] = []
    for (let page = await store.listUsers('', 2); page.length > 0; page = await store.listUsers(page.at(-1)!.id, 2)) listed.push(...page)
    t.strictSame(listed, users)
  })

  prove('64 racing registrations of one address make one user', async (t, _store, stores) => {
    const { email } = newUser()
    const outcomes = await race(async index => await stores[index % stores.length]!.insertUser({ ...newUser(), email }))
    t.equal(outcomes.filter(outcome => outcome === 'inserted').length, 1)
    t.equal(outcomes.filter(outcome => outcome === 'email_taken').length, RACERS - 1)
  })

  prove('64 racing advances of one generation have one winner, who gets the family as it stands', async (t, store, stores) => {
    const [family, other] = [newFamily(), newFamily(500)]
    const user = await insert(store, [family, other])
    const outcomes = await race(async index => await stores[index % stores.length]!.advanceFamily({ userId: user.id, familyId: family.id, from: 0, to: 1, now: 2000, by: BY, live }))
    const winners = outcomes.filter(outcome => outcome !== undefined)
    t.strictSame(winners, [{ family: { ...family, generation: 1, advancedAt: 2000, rotatedBy: BY }, roles: [] }])
    t.strictSame(new Set((await store.findUser(user.id))?.families), new Set([winners[0]!.family, other]))
  })

  prove('a family moves only from where it stands, and over a lost write', async (t, store) => {
    const family = newFamily()
    const user = await insert(store, [family])
    const advance = { userId: user.id, familyId: family.id, from: 0, to: 7, now: 2000, by: BY, live }
    t.equal(await store.advanceFamily({ ...advance, from: 1 }), undefined)
    t.equal(await store.advanceFamily({ ...advance, familyId: randomUUID() }), undefined)
    t.equal(await store.advanceFamily({ ...advance, userId: randomUUID() }), undefined)
    t.equal((await store.advanceFamily(advance))?.family.generation, 7)
  })

  prove('an idle and an old family do not move', async (t, store) => {
    const family = newFamily(1000)
    const user = await insert(store, [family])
    const advance = { userId: user.id, familyId: family.id, from: 0, to: 1, now: 2000, by: BY }
    t.equal(await store.advanceFamily({ ...advance, live: { createdAfter: 0, advancedAfter: 1000 } }), undefined)
    t.equal(await store.advanceFamily({ ...advance, live: { createdAfter: 1000, advancedAfter: 0 } }), undefined)
    t.ok(await store.advanceFamily({ ...advance, live: { createdAfter: 999, advancedAfter: 999 } }))
  })

  prove('one family more than the limit evicts the least recently used', async (t, store) => {
    const families = [newFamily(3000), newFamily(1000), newFamily(2000)]
    const user = await insert(store, families)
    const more = newFamily(4000)
    t.equal(await store.openFamily(opening(user, more, { limit: 3 })), 'opened')
    t.strictSame(new Set((await store.findUser(user.id))?.families), new Set([families[0], families[2], more]))
  })

  prove('one family more than the limit is refused where that is the policy, and changes nothing', async (t, store) => {
    const families = [newFamily(1000), newFamily(2000)]
    const user = await insert(store, families)
    const before = await store.findUser(user.id)
    t.equal(await store.openFamily(opening(user, newFamily(), { limit: 2, policy: 'refuse' })), 'full')
    t.strictSame(await store.findUser(user.id), before)
    t.equal(await store.openFamily(opening(user, newFamily(3000), { limit: 2, policy: 'refuse', live: { createdAfter: 0, advancedAfter: 1000 } })), 'opened', 'a dead one takes no room')
  })

  prove('a client has half of the places at most, and beyond that its own least recently used family goes, whatever the policy and however much room there is', async (t, store) => {
    for (const policy of ['evict', 'refuse'] as const) {
      const [clientId, session, others] = [randomUUID(), newFamily(500), [newFamily(600), newGranted(700)]]
      const own = [newGranted(3000, clientId), newGranted(1000, clientId), newGranted(2000, clientId)]
      const user = await insert(store, [...own, session, ...others])
      const held = async () => new Set((await store.findUser(user.id))?.families)
      const open = async (family: Family, limit: number, more: Partial<OpenFamily> = {}) => await store.openFamily(opening(user, family, { limit, policy, session: session.id, ...more }))
      const more = [newGranted(4000, clientId), newGranted(4001, clientId), newGranted(4002, clientId), newGranted(4003, clientId)]
      t.equal(await open(more[0]!, 6), 'opened', policy)
      t.strictSame(await held(), new Set([own[0], own[2], more[0], session, ...others]))
      t.equal(await open(more[1]!, 7), 'opened', 'three and a half are four')
      t.strictSame(await held(), new Set([own[0], own[2], more[0], more[1], session, ...others]))
      t.equal(await open(more[2]!, 8, { replaces: more[1]!.id }), 'opened', 'the one that it replaces goes first')
      t.strictSame(await held(), new Set([own[0], own[2], more[0], more[2], session, ...others]))
      t.equal(await open(more[3]!, 20, { live: { createdAfter: 0, advancedAfter: 4000 } }), 'opened')
      t.strictSame(await held(), new Set([own[0], own[2], more[0], more[2], more[3], session, ...others]), 'what looks dead has its room, too')
      t.equal(await open(newFamily(5000), 20), 'opened', 'a log-in is nobody\'s client')
      t.equal((await held()).size, 9)
    }
  })

  prove('a client that has its share is let in again where there is no room, and where it may have one place alone', async (t, store) => {
    for (const policy of ['evict', 'refuse'] as const) {
      const [clientId, session] = [randomUUID(), newFamily(500)]
      const user = await insert(store, [session, newGranted(1000, clientId)])
      const more = newGranted(2000, clientId)
      t.equal(await store.openFamily(opening(user, more, { limit: 2, policy, session: session.id })), 'opened', policy)
      t.strictSame((await store.findUser(user.id))?.families.toSorted((one, other) => one.createdAt - other.createdAt), [session, more])
      t.equal((await store.findUser(user.id))?.closed?.length, 1)
    }
  })

  prove('of 64 that open families of one client at once, no more stand than its share', async (t, store, stores) => {
    const session = newFamily()
    const user = await insert(store, [session])
    const clientId = randomUUID()
    const outcomes = await race(async index => await stores[index % stores.length]!.openFamily(opening(user, newGranted(2000 + index, clientId), { session: session.id, limit: 6, policy: 'refuse' })))
    t.strictSame(new Set(outcomes), new Set(['opened']))
    t.equal((await store.findUser(user.id))?.families.length, 4)
  })

  prove('families that look dead are kept where there is room, and leave before the living, the least recently used first', async (t, store) => {
    for (const policy of ['evict', 'refuse'] as const) {
      const [idle, old, living] = [newFamily(1000), { ...newFamily(5000), createdAt: 500 }, newFamily(2000)]
      const user = await insert(store, [living, idle, old])
      const later = { live: { createdAfter: 500, advancedAfter: 1000 }, policy }
      const held = async () => new Set((await store.findUser(user.id))?.families)
      const [one, other] = [newFamily(6000), newFamily(6001)]
      t.equal(await store.openFamily(opening(user, one, { ...later, limit: 4 })), 'opened', policy)
      t.strictSame(await held(), new Set([idle, old, living, one]), 'no family leaves where there is room')
      t.equal(await store.openFamily(opening(user, other, { ...later, limit: 4 })), 'opened')
      t.strictSame(await held(), new Set([old, living, one, other]))
      t.equal(await store.openFamily(opening(user, newFamily(6002), { ...later, limit: 2 })), policy === 'evict' ? 'opened' : 'full')
    }
  })

  prove('one log-in by a clock that is far ahead costs no other family its life', async (t, store) => {
    for (const policy of ['evict', 'refuse'] as const) {
      const families = [newFamily(1000), newFamily(2000)]
      const user = await insert(store, families)
      const ahead = newFamily(9_000_000)
      t.equal(await store.openFamily(opening(user, ahead, { live: { createdAfter: 8_000_000, advancedAfter: 8_000_000 }, policy })), 'opened')
      t.strictSame(new Set((await store.findUser(user.id))?.families), new Set([...families, ahead]))
      for (const { id } of families) t.ok(await store.advanceFamily({ userId: user.id, familyId: id, from: 0, to: 1, now: 3000, by: BY, live }))
    }
  })

  prove('a family of a clock that was ahead lives on, and its next advance leaves no time in the future', async (t, store) => {
    const family = { ...newFamily(9_000_000), createdAt: 8_000_000 }
    const user = await insert(store, [family])
    const advance = { userId: user.id, familyId: family.id, by: BY, live: { createdAfter: 1000, advancedAfter: 1000 } }
    t.strictSame(await store.advanceFamily({ ...advance, from: 0, to: 1, now: 2000 }), { family: { ...family, generation: 1, createdAt: 2000, advancedAt: 2000, rotatedBy: BY }, roles: [] })
    t.match(await store.advanceFamily({ ...advance, from: 1, to: 2, now: 3000 }), { family: { createdAt: 2000, advancedAt: 3000 } }, 'what is past stays')
  })

  prove('a repeat is kept once a rotation, by one of those who race, and the rotation after it keeps it', async (t, store, stores) => {
    const [family, other] = [newFamily(), newFamily()]
    const user = await insert(store, [family, other])
    const advance = { userId: user.id, familyId: family.id, now: 2000, by: BY, live }
    await store.advanceFamily({ ...advance, from: 0, to: 1 })
    const note = { userId: user.id, familyId: family.id, generation: 1, running: 1 }
    for (const miss of [{ generation: 0 }, { generation: 2 }, { familyId: randomUUID() }, { userId: randomUUID() }]) t.notOk(await store.noteRepeat({ ...note, ...miss }))
    const outcomes = await race(async index => await stores[index % stores.length]!.noteRepeat(note))
    t.equal(outcomes.filter(isNoted => isNoted).length, 1)
    t.match(await store.advanceFamily({ ...advance, from: 1, to: 2 }), { family: { generation: 2, repeats: { at: 1, running: 1 } } })
    t.ok(await store.noteRepeat({ ...note, generation: 2, running: 2 }))
    const stands = { ...family, generation: 2, advancedAt: 2000, rotatedBy: BY, repeats: { at: 2, running: 2 } }
    t.strictSame(new Set((await store.findUser(user.id))?.families), new Set([stands, other]))
  })

  prove('64 racing log-ins never make more families than the limit', async (t, store, stores) => {
    for (const policy of ['evict', 'refuse'] as const) {
      const user = await insert(store)
      const outcomes = await race(async index => await stores[index % stores.length]!.openFamily(opening(user, newFamily(index + 1), { limit: 5, policy })))
      t.equal((await store.findUser(user.id))?.families.length, 5, policy)
      t.equal(outcomes.filter(outcome => outcome === 'opened').length, policy === 'evict' ? RACERS : 5)
    }
  })

  prove('a log-in that a password change overtook opens nothing', async (t, store) => {
    const [caller, family] = [newFamily(), newFamily()]
    const user = await insert(store, [caller])
    t.ok(await store.changePassword(changing(user, caller.id, family)))
    t.equal(await store.openFamily(opening(user, newFamily())), 'stale')
    t.strictSame(await store.findUser(user.id), { ...user, passwordHash: '$new', families: [family] })
    t.equal(await store.openFamily(opening(newUser(), newFamily())), 'stale', 'nobody')
  })

  prove('a log-in may renew the hash in the same write', async (t, store) => {
    const user = await insert(store)
    t.equal(await store.openFamily(opening(user, newFamily(), { passwordHash: 'renewed' })), 'opened')
    t.equal((await store.findUser(user.id))?.passwordHash, 'renewed')
  })

  prove('a password change closes every family at once, the caller\'s too, and leaves the new one', async (t, store) => {
    const [caller, family] = [newFamily(), newFamily(2000)]
    const user = await insert(store, [newFamily(), caller, newFamily()])
    t.ok(await store.changePassword(changing(user, caller.id, family)))
    t.strictSame(await store.findUser(user.id), { ...user, passwordHash: '$new', families: [family] })
    t.equal(await store.advanceFamily({ userId: user.id, familyId: caller.id, from: 0, to: 1, now: 2000, by: BY, live }), undefined)
  })

  prove('a password change on another hash, or from a family that is closed, dead or somebody else\'s, changes nothing', async (t, store) => {
    const [family, others] = [newFamily(1000), newFamily(1000)]
    const [user] = [await insert(store, [family]), await insert(store, [others])]
    t.notOk(await store.changePassword(changing(user, family.id, newFamily(), { verifiedHash: 'other' })))
    for (const callerId of [randomUUID(), others.id]) t.notOk(await store.changePassword(changing(user, callerId, newFamily())))
    for (const dead of [{ createdAfter: 1000, advancedAfter: 0 }, { createdAfter: 0, advancedAfter: 1000 }]) t.notOk(await store.changePassword(changing(user, family.id, newFamily(), { live: dead })))
    t.notOk(await store.changePassword(changing(newUser(), family.id, newFamily())), 'nobody')
    t.strictSame(await store.findUser(user.id), { ...user, families: [family] })
  })

  prove('of 64 racing password changes one counts, and its family alone is left', async (t, store, stores) => {
    const caller = newFamily()
    const user = await insert(store, [caller, newFamily()])
    const families = Array.from({ length: RACERS }, () => newFamily())
    const outcomes = await race(async index => await stores[index % stores.length]!.changePassword(changing(user, caller.id, families[index]!, { passwordHash: `$new ${index}` })))
    t.equal(outcomes.filter(Boolean).length, 1)
    const winner = outcomes.indexOf(true)
    t.strictSame(await store.findUser(user.id), { ...user, passwordHash: `$new ${winner}`, families: [families[winner]!] })
  })

  prove('a name is changed, and taken away, and nothing else is', async (t, store) => {
    const [caller, other] = [newFamily(), newFamily(2000)]
    const user = await insert(store, [caller, other])
    const before = (await store.findUser(user.id))!
    for (const name of ['$name "$$ROOT"', 'Ada', null]) {
      t.ok(await store.rename(renaming(user, caller.id, { name })))
      t.strictSame(await store.findUser(user.id), { ...before, name })
    }
    t.ok(await store.rename(renaming(user, caller.id, { name: null })), 'what is so already is done')
  })

  prove('a name is not changed from a family that is closed, dead or somebody else\'s', async (t, store) => {
    const [family, others] = [newFamily(1000), newFamily(1000)]
    const [user] = [await insert(store, [family]), await insert(store, [others])]
    for (const callerId of [randomUUID(), others.id]) t.notOk(await store.rename(renaming(user, callerId)))
    for (const dead of [{ createdAfter: 1000, advancedAfter: 0 }, { createdAfter: 0, advancedAfter: 1000 }]) t.notOk(await store.rename(renaming(user, family.id, { live: dead })))
    t.notOk(await store.rename(renaming(newUser(), family.id)), 'nobody')
    t.strictSame(await store.findUser(user.id), { ...user, families: [family] })
  })

  prove('a family may be opened in the stead of another, which takes no room', async (t, store) => {
    const [one, other, more] = [newFamily(1000), newFamily(2000), newFamily(3000)]
    for (const policy of ['evict', 'refuse'] as const) {
      const user = await insert(store, [one, other])
      t.equal(await store.openFamily(opening(user, more, { limit: 2, policy, replaces: other.id })), 'opened', policy)
      t.strictSame(new Set((await store.findUser(user.id))?.families), new Set([one, more]))
      t.equal(await store.openFamily(opening(user, other, { replaces: randomUUID() })), 'opened', 'one that is not there')
      t.strictSame(new Set((await store.findUser(user.id))?.families), new Set([one, more, other]))
    }
  })

  const ROOM = { max: 100, maxDevices: 10, window: 1000 }

  for (const [of, kept] of [['password', 'failed'], ['code', 'failedCodes']] as const) {
    prove(`guesses are counted by who guessed, each device for itself, in a window, and change nothing else: at the ${of}`, async (t, store) => {
      const user = await insert(store, [newFamily()])
      const before = await store.findUser(user.id)
      const [known, stranger]: GuessCount[] = [{ by: 'known' }, { by: 'stranger' }]
      const [one, other] = [randomUUID(), randomUUID()]
      const device = (id: string): GuessCount => ({ by: 'device', device: id })
      const cases: Array<[count: GuessCount, now: number, Failures, made: number]> = [
        [stranger!, 5000, { since: 5000, known: 0, stranger: 1 }, 1],
        [stranger!, 5999, { since: 5000, known: 0, stranger: 2 }, 2],
        [known!, 5999, { since: 5000, known: 1, stranger: 2 }, 1],
        [device(one), 5999, { since: 5000, known: 1, stranger: 2, devices: { [one]: 1 } }, 1],
        [known!, 4001, { since: 5000, known: 2, stranger: 2, devices: { [one]: 1 } }, 2],
        [device(other), 5000, { since: 5000, known: 2, stranger: 2, devices: { [one]: 1, [other]: 1 } }, 1],
        [device(one), 5000, { since: 5000, known: 2, stranger: 2, devices: { [one]: 2, [other]: 1 } }, 2],
        [known!, 6000, { since: 6000, known: 1, stranger: 0 }, 1],
        [stranger!, 5000, { since: 5000, known: 0, stranger: 1 }, 1],
        [device(one), 6000, { since: 6000, known: 0, stranger: 0, devices: { [one]: 1 } }, 1],
      ]
      for (const [count, now, failed, made] of cases) {
        t.strictSame(await store.takeGuess({ of, userId: user.id, count, now, ...ROOM }), { count: made, since: failed.since })
        t.strictSame(await store.findUser(user.id), { ...before, [kept]: failed })
        t.strictSame(await store.findUserByEmail(user.email), { ...before, [kept]: failed })
      }
      t.equal(await store.takeGuess({ of, userId: randomUUID(), count: known!, now: 1, ...ROOM }), undefined, 'of nobody')
      await store.openFamily(opening(user, newFamily(2000)))
      t.match(await store.findUser(user.id), { [kept]: { since: 6000, devices: { [one]: 1 } } }, 'a log-in leaves them')
    })

    prove(`where there is no room for a guess none is counted, until the window is over: at the ${of}`, async (t, store) => {
      const user = await insert(store)
      const take = async (count: GuessCount, now = 1000, room = {}) => (await store.takeGuess({ of, userId: user.id, count, now, max: 2, maxDevices: 2, window: 1000, ...room }))?.count
      for (const count of [{ by: 'known' }, { by: 'stranger' }, { by: 'device', device: randomUUID() }, { by: 'device', device: randomUUID() }] as const) {
        t.strictSame([await take(count), await take(count), await take(count)], [1, 2, undefined])
        t.equal(await take(count, 1000, { max: 3 }), 3)
      }
      const full = (await store.findUser(user.id))![kept]
      const third: GuessCount = { by: 'device', device: randomUUID() }
      t.equal(await take(third), undefined, 'of one device more')
      t.strictSame((await store.findUser(user.id))![kept], full)
      t.equal(await take(third, 1000, { maxDevices: 3 }), 1)
      t.equal(await take({ by: 'known' }, 2000), 1)
      t.strictSame((await store.findUser(user.id))![kept], { since: 2000, known: 1, stranger: 0 })
      t.equal(await take({ by: 'known' }, 2000, { max: 0 }), undefined)
    })

    prove(`a guess is given back to the window that it was taken in, and to no other: at the ${of}`, async (t, store) => {
      const user = await insert(store)
      const failed = async () => (await store.findUser(user.id))![kept]
      const device = randomUUID()
      const counts: GuessCount[] = [{ by: 'stranger' }, { by: 'device', device }]
      const giveBack = async (count: GuessCount, since = 1000, userId = user.id) => { await store.giveBackGuess({ of, userId, count, since }) }
      for (const count of counts) await giveBack(count)
      t.equal(await failed(), undefined)
      for (const count of counts) for (const now of [1000, 1500]) await store.takeGuess({ of, userId: user.id, count, now, ...ROOM })
      for (const count of counts) await giveBack(count)
      t.strictSame(await failed(), { since: 1000, known: 0, stranger: 1, devices: { [device]: 1 } })
      for (const count of counts) {
        await giveBack(count, 999)
        await giveBack(count, 1000, randomUUID())
      }
      await giveBack({ by: 'known' })
      await giveBack({ by: 'device', device: randomUUID() })
      t.strictSame(await failed(), { since: 1000, known: 0, stranger: 1, devices: { [device]: 1 } })
    })

    prove(`64 racing guesses are 64, or as many as there is room for: at the ${of}`, async (t, store, stores) => {
      const device = randomUUID()
      const raced = async (max: number) => {
        const user = await insert(store)
        const counts: GuessCount[] = [{ by: 'stranger' }, { by: 'known' }, { by: 'device', device }, { by: 'device', device }]
        await race(async index => { await stores[index % stores.length]!.takeGuess({ of, userId: user.id, count: counts[index % 4]!, now: 1000, max, maxDevices: 10, window: 1000 }) })
        return (await store.findUser(user.id))?.[kept]
      }
      t.strictSame(await raced(100), { since: 1000, known: RACERS / 4, stranger: RACERS / 4, devices: { [device]: RACERS / 2 } })
      t.strictSame(await raced(10), { since: 1000, known: 10, stranger: 10, devices: { [device]: 10 } })
    })

    prove(`of guesses that race for the end of a window none is lost: at the ${of}`, async (t, store, stores) => {
      const user = await insert(store)
      await store.takeGuess({ of, userId: user.id, count: { by: 'stranger' }, now: 1000, ...ROOM })
      await race(async index => { await stores[index % stores.length]!.takeGuess({ of, userId: user.id, count: { by: 'stranger' }, now: 2000, ...ROOM }) })
      t.strictSame((await store.findUser(user.id))?.[kept], { since: 2000, known: 0, stranger: RACERS })
    })
  }

  prove('a family is closed once, and only by its user', async (t, store) => {
    const [one, other] = [newFamily(), newFamily()]
    const user = await insert(store, [one, other])
    t.notOk(await store.closeFamily({ userId: (await insert(store)).id, familyId: one.id, closing }))
    t.ok(await store.closeFamily({ userId: user.id, familyId: one.id, closing }))
    t.notOk(await store.closeFamily({ userId: user.id, familyId: one.id, closing }))
    t.strictSame((await store.findUser(user.id))?.families, [other])
  })

  prove('closing all counts the live ones and leaves none', async (t, store) => {
    const user = await insert(store, [newFamily(1000), newFamily(2000), newFamily(3000)])
    t.equal(await store.closeAllFamilies({ userId: user.id, live: { createdAfter: 0, advancedAfter: 1000 }, closing }), 2)
    t.strictSame((await store.findUser(user.id))?.families, [])
    t.equal(await store.closeAllFamilies({ userId: user.id, live, closing }), 0)
    t.equal(await store.closeAllFamilies({ userId: randomUUID(), live, closing }), 0)
  })

  prove('what closes a family keeps that it is closed in the same write: one, all, a password change, one log-in more, and one in its stead', async (t, store) => {
    const families = [11, 12, 13].map(serial => ({ ...newFamily(serial), serial }))
    const [one, two, three] = families as [Family, Family, Family]
    const closed = (...those: Family[]) => new Set(those.map(({ id, serial }) => ({ id, serial, at: 5000 })))
    const more = newFamily(9000)
    const ways: Array<[string, (userId: string, user: User) => Promise<unknown>, Set<Closing>]> = [
      ['one', async userId => await store.closeFamily({ userId, familyId: two.id, closing }), closed(two) as Set<Closing>],
      ['all', async userId => await store.closeAllFamilies({ userId, live, closing }), closed(one, two, three) as Set<Closing>],
      ['a password change', async (_, user) => await store.changePassword(changing(user, one.id, more)), closed(one, two, three) as Set<Closing>],
      ['one log-in more', async (_, user) => await store.openFamily(opening(user, more, { limit: 2 })), closed(one, two) as Set<Closing>],
      ['one in its stead', async (_, user) => await store.openFamily(opening(user, more, { replaces: two.id })), closed(two) as Set<Closing>],
      ['none', async (_, user) => await store.openFamily(opening(user, more)), new Set()],
    ]
    for (const [way, close, expected] of ways) {
      const user = await insert(store, families)
      await close(user.id, user)
      const after = (await store.findUser(user.id))!
      t.strictSame(new Set(after.closed), expected, way)
      t.notOk('closed' in after && after.closed!.length === 0, 'and no list of none')
      t.equal(after.families.some(({ id }) => [...expected].some(closing => closing.id === id)), false)
    }
  })

  prove('a family without a serial number leaves no closing, and a family gets its number once', async (t, store, stores) => {
    const family = newFamily()
    const user = await insert(store, [family, newFamily()])
    t.equal(await store.numberFamily(user.id, randomUUID(), 1), undefined)
    t.equal(await store.numberFamily(randomUUID(), family.id, 1), undefined)
    const numbers = new Set(await race(async index => await stores[index % stores.length]!.numberFamily(user.id, family.id, index)))
    t.equal(numbers.size, 1)
    const [serial] = numbers
    t.match(await store.advanceFamily({ userId: user.id, familyId: family.id, from: 0, to: 1, now: 2000, by: BY, live }), { family: { serial } })
    await store.closeAllFamilies({ userId: user.id, live, closing })
    t.strictSame((await store.findUser(user.id))?.closed, [{ id: family.id, serial, at: 5000 }])
    t.equal(await store.numberFamily(user.id, family.id, 1), undefined, 'what is closed gets none')
  })

  prove('a closing stays on record while it counts, or is one of the last ten, through all that else is written', async (t, store) => {
    const families = Array.from({ length: 14 }, (_, index) => ({ ...newFamily(), serial: index + 1 }))
    const user = { ...newUser(), families }
    await store.insertUser(user)
    const close = async (index: number, at: number, countsAfter: number) => { await store.closeFamily({ userId: user.id, familyId: families[index]!.id, closing: { at, countsAfter } }) }
    const kept = async () => (await store.findUser(user.id))?.closed?.map(({ serial, at }) => [serial, at])
    await close(0, 6000, 0)
    await close(1, 7000, 5999)
    t.strictSame(await kept(), [[1, 6000], [2, 7000]])
    await store.rename(renaming(user, families[2]!.id))
    await store.takeGuess({ userId: user.id, count: { by: 'known' }, now: 1, ...ROOM })
    await store.openFamily(opening(user, newFamily(), { limit: 20, closing: { at: 7500, countsAfter: 5999 } }))
    t.strictSame(await kept(), [[1, 6000], [2, 7000]])
    for (const index of families.keys()) if (index > 1 && index < 11) await close(index, 8000, 5999)
    await close(11, 8000, 6000)
    t.strictSame((await kept())?.map(([serial]) => serial), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 'the first counts no more, and is none of the last ten')
    await close(12, 9_000_000, 8_000_000)
    t.strictSame((await kept())?.map(([serial]) => serial), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], 'by a clock that is ahead')
    await close(13, 8000, 6000)
    t.equal((await kept())?.length, 12, 'which is right again')
  })

  prove('where as many closings count as may, nothing is opened, until one counts no more', async (t, store) => {
    const closed = Array.from({ length: MAX_CLOSINGS }, (_, serial) => ({ id: randomUUID(), serial, at: serial === 0 ? 1000 : 2000 }))
    const user = { ...newUser(), families: [newFamily()], closed }
    await store.insertUser(user)
    t.strictSame(await store.findUser(user.id), user)
    t.equal(await store.openFamily(opening(user, newFamily())), 'crowded')
    t.notOk(await store.changePassword(changing(user, user.families[0]!.id, newFamily())))
    t.strictSame(await store.findUser(user.id), user)
    t.equal(await store.openFamily(opening(user, newFamily(), { verifiedHash: 'other' })), 'stale')
    t.equal(await store.openFamily(opening(user, newFamily(), { closing: { at: 5000, countsAfter: 1000 } })), 'opened')
    t.ok(await store.changePassword(changing(user, user.families[0]!.id, newFamily(), { closing: { at: 5000, countsAfter: 1000 } })))
  })

  prove('the log-in by which a family is opened is the last to be evicted for it, however long it was not used', async (t, store) => {
    const [session, ...others] = [1000, 2000, 3000].map(at => newFamily(at))
    const user = await insert(store, [session!, ...others])
    const ids = async () => (await store.findUser(user.id))!.families.map(({ id }) => id).sort()
    const opened = newFamily(4000)
    t.equal(await store.openFamily(opening(user, opened, { limit: 3, session: session!.id })), 'opened')
    t.strictSame(await ids(), [session!.id, others[1]!.id, opened.id].sort())
    const only = newFamily(5000)
    t.equal(await store.openFamily(opening(user, only, { limit: 1, session: session!.id })), 'opened')
    t.strictSame(await ids(), [only.id], 'where one is all that may be, it is the new one')
  })

  prove('half of the closings that may count are left to the log-ins of the user, whatever clients open and close', async (t, store) => {
    const closed = Array.from({ length: MAX_CLOSINGS / 2 }, (_, serial) => ({ id: randomUUID(), serial, at: serial === 0 ? 1000 : 2000 }))
    const user = { ...newUser(), families: [newFamily()], closed }
    await store.insertUser(user)
    const granted = () => ({ ...newFamily(), grant: { clientId: randomUUID(), scope: 'openid', audience: ['https://signet.example'], authenticatedAt: 1000 } })
    t.equal(await store.openFamily(opening(user, granted())), 'crowded')
    t.equal(await store.openFamily(opening(user, granted(), { closing: { at: 5000, countsAfter: 1000 } })), 'opened', 'when one counts no more')
    t.equal(await store.openFamily(opening(user, newFamily())), 'opened')
    t.ok(await store.changePassword(changing(user, user.families[0]!.id, newFamily())))
  })

  prove('closings are listed by the last of each user, a page at a time, from an instant on', async (t, store) => {
    const users = await Promise.all([7000, 6000, 7000, 5000, 0].map(async at => {
      const family = { ...newFamily(), serial: at }
      const user = await insert(store, [family])
      if (at > 0) await store.closeFamily({ userId: user.id, familyId: family.id, closing: { at, countsAfter: 0 } })
      return { userId: user.id, closedAt: at, closed: [{ id: family.id, serial: at, at }] }
    }))
    const sorted = users.filter(({ closedAt }) => closedAt > 5000).sort((one, other) => one.closedAt - other.closedAt || (one.userId < other.userId ? -1 : 1))
    const listed = []
    for (let from = { closedAfter: 5000, userId: '~' }; ;) {
      const page = await store.listClosings(from, 2)
      listed.push(...page)
      if (page.length < 2) break
      from = { closedAfter: page[1]!.closedAt, userId: page[1]!.userId }
    }
    t.strictSame(listed, sorted)
    t.equal((await store.listClosings({ closedAfter: 5000, userId: '' }, 10)).length, 4, 'the instant itself included')
    await store.closeAllFamilies({ userId: users[4]!.userId, live, closing: { at: 100, countsAfter: 0 } })
  })

  prove('of racing leases every place is had once, and none beyond the end', async (t, store, stores) => {
    t.strictSame(await store.statusLists(), [])
    t.equal(await store.leasePlaces(0, 1, 1000), undefined, 'a list that is not there')
    await race(async index => { await stores[index % stores.length]!.keepStatusList({ list: 0, key: `key ${index}`, leased: 100, leasedAt: 1000 }) })
    const { key } = (await store.statusLists())[0]!
    const firsts = await race(async index => (await stores[index % stores.length]!.leasePlaces(0, 10, 2000))!)
    t.strictSame(firsts.sort((one, other) => one - other), Array.from({ length: RACERS }, (_, index) => 100 + 10 * index))
    t.strictSame(await store.statusLists(), [{ list: 0, key, leased: 740, leasedAt: 2000 }])
    await store.keepStatusList({ list: 0, key: 'another', leased: 5, leasedAt: 5 })
    t.strictSame(await store.statusLists(), [{ list: 0, key, leased: 740, leasedAt: 2000 }])
    await store.keepStatusList({ list: 1, key: 'next', leased: LIST_SIZE - 10, leasedAt: 3000 })
    t.equal(await store.leasePlaces(1, 11, 4000), undefined)
    t.equal(await store.leasePlaces(1, 10, 2500), LIST_SIZE - 10)
    t.equal(await store.leasePlaces(1, 1, 4000), undefined)
    t.strictSame((await store.statusLists())[1], { list: 1, key: 'next', leased: LIST_SIZE, leasedAt: 3000 })
  })

  prove('the highest serial number of all families and closings is found', async (t, store) => {
    t.equal(await store.highestSerial(), undefined)
    await insert(store, [newFamily()])
    t.equal(await store.highestSerial(), undefined)
    for (const serials of [[7, 3_000_000], [5], [0]]) await insert(store, serials.map(serial => ({ ...newFamily(), serial })))
    await insert(store)
    t.equal(await store.highestSerial(), 3_000_000)
    await store.insertUser({ ...newUser(), families: [{ ...newFamily(), serial: 8 }], closed: [{ id: 'gone', serial: 3_000_001, at: 1000 }] })
    t.equal(await store.highestSerial(), 3_000_001)
  })

  prove('a family with a grant is kept whole, opened or inserted, beside log-ins, and through what is written of it', async (t, store) => {
    const [own, granted, bare] = [newFamily(), newGranted(), newGranted()]
    bare.grant = { clientId: '$id', scope: '', audience: [], authenticatedAt: 0 }
    const user = await insert(store, [own, granted, bare])
    t.strictSame(new Set((await store.findUser(user.id))?.families), new Set([own, granted, bare]))
    const inserted = { ...newUser(), families: [own, granted, bare] }
    await store.insertUser(inserted)
    t.strictSame(await store.findUser(inserted.id), inserted)
    const { clientId } = granted.grant!
    t.strictSame(await store.advanceFamily({ userId: user.id, familyId: granted.id, from: 0, to: 1, clientId, now: 2000, by: BY, live }), { family: { ...granted, generation: 1, advancedAt: 2000, rotatedBy: BY }, roles: [] })
    t.ok(await store.noteRepeat({ userId: user.id, familyId: granted.id, generation: 1, running: 1 }))
    t.equal(await store.numberFamily(user.id, granted.id, 7), 7)
    const stands = { ...granted, generation: 1, advancedAt: 2000, rotatedBy: BY, repeats: { at: 1, running: 1 }, serial: 7 }
    t.strictSame(new Set((await store.findUserByEmail(user.email))?.families), new Set([own, stands, bare]))
  })

  prove('a client\'s family moves for this client alone, and a log-in\'s own for none', async (t, store) => {
    const [own, granted, other] = [newFamily(), newGranted(), newGranted()]
    const user = await insert(store, [own, granted, other])
    const before = await store.findUser(user.id)
    const advance = async (family: Family, clientId: string | undefined) => await store.advanceFamily({ userId: user.id, familyId: family.id, from: 0, to: 1, clientId, now: 2000, by: BY, live })
    for (const clientId of [undefined, '', other.grant!.clientId, randomUUID()]) t.equal(await advance(granted, clientId), undefined, String(clientId))
    for (const clientId of ['', granted.grant!.clientId]) t.equal(await advance(own, clientId), undefined, 'a log-in\'s own')
    t.strictSame(await store.findUser(user.id), before)
    t.match(await advance(granted, granted.grant!.clientId), { family: { id: granted.id, generation: 1 } })
    t.match(await advance(own, undefined), { family: { id: own.id, generation: 1 } })
  })

  prove('a family of an id that stands, or whose closing is kept, is not opened again, whatever else is so', async (t, store) => {
    const [session, granted] = [newFamily(), newGranted()]
    const user = await insert(store, [session, granted])
    const again = { ...newGranted(5000), id: granted.id }
    const before = await store.findUser(user.id)
    for (const change of [{}, { session: session.id }, { verifiedHash: 'other' }, { session: randomUUID() }, { policy: 'refuse', limit: 1 }, { replaces: granted.id }] as const) {
      t.equal(await store.openFamily(opening(user, again, change)), 'used', JSON.stringify(change))
      t.strictSame(await store.findUser(user.id), before)
    }
    await store.closeFamily({ userId: user.id, familyId: granted.id, closing })
    const after = await store.findUser(user.id)
    t.strictSame(after, { ...user, families: [session], closed: [{ id: granted.id, at: 5000 }] })
    for (const change of [{}, { session: session.id }, { verifiedHash: 'other' }, { closing: { at: 9000, countsAfter: 8000 } }]) t.equal(await store.openFamily(opening(user, again, change)), 'used', JSON.stringify(change))
    t.strictSame(await store.findUser(user.id), after)
  })

  prove('a family is opened by a log-in as long as that stands, and by nobody else\'s', async (t, store) => {
    const [session, foreign, granted] = [newFamily(), newFamily(), newGranted()]
    const user = await insert(store, [session])
    await insert(store, [foreign])
    for (const id of [randomUUID(), foreign.id]) t.equal(await store.openFamily(opening(user, granted, { session: id })), 'stale')
    t.strictSame(await store.findUser(user.id), { ...user, families: [session] })
    t.equal(await store.openFamily(opening(user, granted, { session: session.id })), 'opened')
    await store.closeFamily({ userId: user.id, familyId: session.id, closing })
    t.equal(await store.openFamily(opening(user, newGranted(), { session: session.id })), 'stale')
    t.strictSame((await store.findUser(user.id))?.families, [granted])
    t.equal(await store.openFamily(opening(newUser(), newGranted(), { session: session.id })), 'stale', 'nobody')
  })

  prove('of 64 that open one family at once one does, and the others are told that it is used', async (t, store, stores) => {
    const session = newFamily()
    const user = await insert(store, [session])
    const granted = newGranted()
    const outcomes = await race(async index => await stores[index % stores.length]!.openFamily(opening(user, granted, { session: session.id })))
    t.strictSame(outcomes.toSorted(), ['opened', ...Array<string>(RACERS - 1).fill('used')])
    t.strictSame(new Set((await store.findUser(user.id))?.families), new Set([session, granted]))
  })

  prove('no client\'s family outlives a log-out of the session that races with its opening, but the one that came first', async (t, store, stores) => {
    for (let round = 0; round < 8; round++) {
      const session = newFamily()
      const user = await insert(store, [session])
      // Few, for most of them write all that was opened before anew.
      const outcomes = await Promise.all(Array.from({ length: 16 }, async (_, index) => {
        const racer = stores[index % stores.length]!
        if (index === 7) return await racer.closeFamily({ userId: user.id, familyId: session.id, closing })
        return await racer.openFamily(opening(user, newGranted(), { session: session.id, limit: RACERS }))
      }))
      const after = await store.findUser(user.id)
      t.equal(after?.families.length, outcomes.filter(outcome => outcome === 'opened').length)
      t.equal(await store.openFamily(opening(user, newGranted(), { session: session.id })), 'stale')
    }
  })

  prove('whatever closes a family with a grant keeps that it is closed, with its number where it has one', async (t, store) => {
    const [plain, granted, numbered] = [newFamily(1000), newGranted(1001), { ...newGranted(1002), serial: 5 }]
    const more = newFamily(9000)
    const closings = { granted: { id: granted.id, at: 5000 }, numbered: { id: numbered.id, serial: 5, at: 5000 } }
    const ways: Array<[string, (userId: string, user: User) => Promise<unknown>, Closing[]]> = [
      ['one', async userId => await store.closeFamily({ userId, familyId: granted.id, closing }), [closings.granted]],
      ['all', async userId => await store.closeAllFamilies({ userId, live, closing }), [closings.granted, closings.numbered]],
      ['a password change', async (_, user) => await store.changePassword(changing(user, plain.id, more)), [closings.granted, closings.numbered]],
      ['one log-in more', async (_, user) => await store.openFamily(opening(user, more, { limit: 2 })), [closings.granted]],
      ['one in its stead', async (_, user) => await store.openFamily(opening(user, more, { replaces: numbered.id })), [closings.numbered]],
    ]
    for (const [way, close, expected] of ways) {
      const user = await insert(store, [plain, granted, numbered])
      await close(user.id, user)
      t.strictSame(new Set((await store.findUser(user.id))?.closed), new Set(expected), way)
      t.strictSame((await store.listClosings({ closedAfter: 4000, userId: '' }, 100)).find(({ userId }) => userId === user.id)?.closedAt, 5000, way)
    }
  })

  prove('no family survives a password change or a revocation of all that it races with', async (t, store, stores) => {
    for (let round = 0; round < 8; round++) {
      const families = Array.from({ length: 8 }, () => newFamily())
      const user = await insert(store, families)
      const renewed = newFamily()
      await race(async index => {
        const racer = stores[index % stores.length]!
        const family = families[index % families.length]!
        if (index === 20) return await racer.changePassword(changing(user, families[0]!.id, renewed))
        return await racer.advanceFamily({ userId: user.id, familyId: family.id, from: Math.floor(index / families.length), to: Math.floor(index / families.length) + 1, now: 2000, by: BY, live })
      })
      t.strictSame((await store.findUser(user.id))?.families, [renewed])
      await race(async index => {
        const racer = stores[index % stores.length]!
        if (index === 30) return await racer.closeAllFamilies({ userId: user.id, live, closing })
        return await racer.openFamily(opening(user, newFamily(), { verifiedHash: HASH }))
      })
      t.strictSame((await store.findUser(user.id))?.families, [], 'and no log-in with the old password')
    }
  })
}
