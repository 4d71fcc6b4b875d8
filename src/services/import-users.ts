// Brings users of another system along, in batches, each once however often it is tried; holds no format, no file and no adapter.
import { randomUUID } from 'node:crypto'
import { judge, type Candidate, type Refusal, type Terms } from '../core/imports/candidate.js'
import type { Entry, EntryFault } from '../core/imports/entries.js'
import { formatOf, readAs, unknownMemberOf, type Format, type Reading } from '../core/imports/formats.js'
import { normaliseEmail, spellingsOf } from '../core/credentials.js'
import type { Insertion, Store, User } from '../store/store.js'

/** Why an entry was not taken: what it says, that it is in the file before, or that another user has its address or id. */
export type ImportRefusal = Refusal | EntryFault | 'repeated' | 'email_taken' | 'id_taken'

/** One that was not taken: the line on which it begins, of which file where there are several, and which entry of all it is, both from 1 on; its address where that is one, and the member that is unknown. */
export interface Refused { line: number, file?: string, entry: number, reason: ImportRefusal, email?: string, member?: string }

export interface ImportCounts {
  entries: number
  added: number
  /** Those of them who must set a password before they can log in. */
  withoutPassword: number
  /** Those who were there already, by id or, without one in the file, by address. */
  there: number
  refused: number
}

export interface Importing {
  entries: AsyncIterable<Entry>
  /** Undefined: the first entry tells. */
  format: Format | undefined
  reading: Reading
  /** `source` is undefined where it is the format's name. */
  terms: Omit<Terms, 'source'> & { source: string | undefined }
  /** Undefined: there is none yet, and nobody in it. */
  store: Store | undefined
  writes: 'write' | 'rehearse'
  onRefused: (refused: Refused) => void
  /** How many addresses and ids are remembered, so that a repeated one is told from one that was there before. */
  remembered?: number
  /** Told after every batch. */
  onProgress: (counts: Readonly<ImportCounts>) => void
}

/** So many are in one commit that it takes some hundredths of a second. */
const BATCH = 500
/** Some hundred bytes each. */
const REMEMBERED = 4_000_000
/** So much of a member's name is told. */
const NAME_LENGTH = 64

interface Pending { place: Pick<Refused, 'entry' | 'line' | 'file'>, candidate: Candidate, user: User }

/** Reads to the end; what it wrote stays, and the same import goes on where this one ends. Rejects with `unavailable` where the store does. */
export async function importUsers (importing: Importing): Promise<ImportCounts & { format: Format | undefined }> {
  const run = new Import(importing)
  for await (const entry of importing.entries) await run.take(entry)
  await run.flush()
  return { ...run.counts, format: run.format }
}

class Import {
  readonly counts: ImportCounts = { entries: 0, added: 0, withoutPassword: 0, there: 0, refused: 0 }
  format: Format | undefined
  readonly #importing: Importing
  readonly #seen = new Set<string>()
  #pending: Pending[] = []

  constructor (importing: Importing) {
    this.#importing = importing
    this.format = importing.format
  }

  async take (entry: Entry): Promise<void> {
    const place = { ...(entry.file !== undefined && { file: entry.file }), line: entry.line, entry: ++this.counts.entries }
    const candidate = 'fault' in entry ? entry.fault : this.#read(entry.value)
    if (typeof candidate === 'string') {
      this.#refuse({ ...place, ...('value' in entry && this.#hints(entry.value, candidate)) }, candidate)
      return
    }
    if (this.#isRepeated(candidate)) {
      this.#refuse({ ...place, email: candidate.typed }, 'repeated')
      return
    }
    this.#pending.push({ place, candidate, user: toUser(candidate, this.#importing.terms.now) })
    if (this.#pending.length === BATCH) await this.flush()
  }

  async flush (): Promise<void> {
    const { store, onProgress } = this.#importing
    const batch = this.#pending
    this.#pending = []
    const others = await Promise.all(batch.map(async ({ candidate }) => store && await findOther(store, candidate)))
    const fresh = batch.filter((_, at) => !others[at])
    const outcomes = await this.#insert(fresh.map(({ user }) => user))
    for (const [at, pending] of fresh.entries()) await this.#settle(pending, outcomes[at]!)
    for (const [at, pending] of batch.entries()) if (others[at]) this.#settleFound(pending, others[at], 'email_taken')
    onProgress(this.counts)
  }

  #read (value: unknown): Candidate | Refusal {
    const { reading, terms } = this.#importing
    this.format ??= formatOf(value)
    const told = readAs(this.format, value, reading)
    return typeof told === 'string' ? told : judge(told, { ...terms, source: terms.source ?? this.format })
  }

  #isRepeated ({ id, email }: Candidate): boolean {
    const names = id === undefined ? [email] : [email, id]
    if (names.some(name => this.#seen.has(name))) return true
    if (this.#seen.size < (this.#importing.remembered ?? REMEMBERED)) for (const name of names) this.#seen.add(name)
    return false
  }

  async #insert (users: User[]): Promise<Insertion[]> {
    const { store, writes } = this.#importing
    if (!store) return users.map(() => 'inserted')
    if (writes === 'write') return await store.insertUsers(users)
    return await Promise.all(users.map(async ({ id, email }) => {
      if (await store.findUser(id)) return 'id_taken'
      return await store.findUserByEmail(email) ? 'email_taken' : 'inserted'
    }))
  }

  async #settle (pending: Pending, outcome: Insertion): Promise<void> {
    const { user } = pending
    if (outcome === 'inserted') {
      this.counts.added++
      if (user.passwordHash === '') this.counts.withoutPassword++
      return
    }
    const { store } = this.#importing
    this.#settleFound(pending, await (outcome === 'id_taken' ? store!.findUser(user.id) : store!.findUserByEmail(user.email)), outcome)
  }

  /** Whoever was found is the same user, if the address is, and the id that the file has of it; one who was deleted is not found. */
  #settleFound (pending: Pending, found: User | undefined, outcome: Exclude<Insertion, 'inserted'>): void {
    const { id, typed } = pending.candidate
    const isSame = found && (id === undefined || found.id === id) && spellingsOf(typed).includes(found.email)
    if (isSame) this.counts.there++
    else this.#refuse({ ...pending.place, email: pending.candidate.typed }, outcome)
  }

  /** By what a person finds it again. */
  #hints (value: unknown, reason: ImportRefusal): Pick<Refused, 'email' | 'member'> {
    const told = readAs(this.format!, value, this.#importing.reading)
    const { email } = typeof told === 'string' ? Object(value) as { email?: unknown } : told
    return {
      ...(typeof email === 'string' && normaliseEmail(email) !== undefined && { email }),
      ...(reason === 'member_unknown' && { member: unknownMemberOf(value)!.slice(0, NAME_LENGTH) }),
    }
  }

  #refuse (refused: Omit<Refused, 'reason'>, reason: ImportRefusal): void {
    this.counts.refused++
    this.#importing.onRefused({ ...refused, reason })
  }
}

/** Who has the address in a spelling of before. */
async function findOther (store: Store, { email, typed }: Candidate): Promise<User | undefined> {
  for (const spelling of spellingsOf(typed)) {
    const other = spelling === email ? undefined : await store.findUserByEmail(spelling)
    if (other) return other
  }
  return undefined
}

function toUser ({ id, email, emailVerified, name, passwordHash, roles, createdAt, isDisabled }: Candidate, now: number): User {
  return { id: id ?? randomUUID(), email, name, passwordHash, createdAt, families: [], roles, ...(emailVerified !== undefined && { emailVerified }), ...(isDisabled && { disabledAt: now }) }
}
