// Cuts a file of users into its entries as it comes, whatever its size: lines, elements of a JSON array, rows of CSV; holds no format's meaning.
import { TextDecoder } from 'node:util'

/** Why an entry cannot be read. */
export type EntryFault = 'entry_too_long' | 'not_utf8' | 'not_json' | 'not_csv' | 'file_ends_within'

/** One entry, and the line on which it begins; of which file, where there are several. */
export type Entry = { line: number, file?: string } & ({ value: unknown } | { fault: EntryFault })

/** A piece of a file, or undefined in the place of one that is too long to be kept. */
interface Piece { line: number, bytes: Buffer | undefined, isCutOff?: boolean }

/** Cuts bytes into pieces; what is left when they end is one that is cut off, or a last one. */
interface Cutter {
  cut: (chunk: Buffer) => Piece[]
  end: () => Piece[]
}

/** The most bytes of an entry. */
export const MAX_ENTRY = 2 ** 20
/** Of how much the beginning of a file is looked at. */
const LOOKED_AT = 2 ** 16
const [LINE_FEED, QUOTE, COMMA, BACKSLASH, OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE] = Buffer.from('\n",\\[]{}') as unknown as [number, number, number, number, number, number, number, number]
const BLANKS = new Set(Buffer.from(' \t\r\n'))
const BYTE_ORDER_MARK = Buffer.from([0xEF, 0xBB, 0xBF])
const DECODER = new TextDecoder('utf-8', { fatal: true })
/** The member of a document, at its top, that holds the users. */
const USERS = 'users'
/** A first row of so many fields is no broken line of JSON. */
const MANY_FIELDS = 26
/** A field and what ends it (RFC 4180). */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y
/** A field of a table without names, whose writer, Firebase's, puts in quotation marks what has a comma and doubles few of the marks within. */
const LOOSE_FIELD = /(?:"((?:[^"]|""|"(?![",]|$))*)"|([^,]*))(,|$)/y

/**
 * The entries of a file: of a JSON array, or that which a document, or each of an array of them, names `users`, its elements; of CSV the rows, by
 * the names of the first, or without names as lists; and else each line's JSON. `shape` is what is known of it: a first line that is broken looks like the beginning of a document.
 */
export async function * readEntries (file: AsyncIterable<Buffer>, shape?: 'lines'): AsyncGenerator<Entry> {
  const chunks = file[Symbol.asyncIterator]()
  const beginning = await readBeginning(chunks)
  const [cutter, read] = shape === 'lines' ? [new LineCutter(), readJson] : shapeOf(beginning)
  for (let chunk: Buffer | undefined = beginning; chunk; chunk = (await chunks.next()).value as Buffer | undefined) {
    for (const piece of cutter.cut(chunk)) yield * read(piece)
  }
  for (const piece of cutter.end()) yield * read(piece)
}

async function readBeginning (chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  const beginning: Buffer[] = []
  for (let size = 0; size < LOOKED_AT; size += beginning.at(-1)!.length) {
    const { value, done } = await chunks.next()
    if (done) break
    beginning.push(value)
  }
  const bytes = Buffer.concat(beginning)
  return bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes
}

type Read = (piece: Piece) => Entry[]

function shapeOf (beginning: Buffer): [Cutter, Read] {
  const text = beginning.toString('latin1').trimStart()
  if (text.startsWith('[') || (text.startsWith('{') && !isUser(text))) return [new ElementCutter(), readJson]
  // A mark that nothing closes costs its own line alone.
  if (isUnnamedRow(text)) return [new LineCutter(), unnamedRowReader()]
  if (/^"?[A-Za-z_]\w*"?,/.test(text)) return [new RowCutter(), rowReader()]
  return [new LineCutter(), readJson]
}

/** Whether the first line is of a table, and of what stands in it: no column is named by nothing, or by an address. */
function isUnnamedRow (text: string): boolean {
  if (text.startsWith('{')) return false
  const fields = readFields(text.split('\n', 1)[0]!.trimEnd(), LOOSE_FIELD)!
  return fields.length >= MANY_FIELDS && fields.some(field => field === '' || field.includes('@'))
}

/** Whether the first line is a whole object, and no document with users in it. */
function isUser (text: string): boolean {
  try {
    const value = JSON.parse(text.split('\n', 1)[0]!) as object
    return !Object.hasOwn(value, USERS)
  } catch {
    return false
  }
}

function decode (piece: Piece): string | EntryFault {
  if (piece.isCutOff) return 'file_ends_within'
  if (!piece.bytes) return 'entry_too_long'
  try {
    return ` ${DECODER.decode(piece.bytes)}`
  } catch {
    return 'not_utf8'
  }
}

function readJson (piece: Piece): Entry[] {
  return readText(piece, text => {
    try {
      return { value: JSON.parse(text) as unknown }
    } catch {
      return { fault: 'not_json' }
    }
  })
}

/** What is read of a piece, if it can be decoded, and anything stands in it. */
function readText (piece: Piece, read: (text: string) => { value: unknown } | { fault: EntryFault } | undefined): Entry[] {
  const { line } = piece
  const text = decode(piece)
  if (!text.startsWith(' ')) return [{ line, fault: text as EntryFault }]
  const entry = text.trim() === '' ? undefined : read(text.slice(1))
  return entry ? [{ line, ...entry }] : []
}

/** Rows by the names of the first one; an empty field is null. */
function rowReader (): Read {
  let names: string[] | undefined
  return piece => readText(piece, text => {
    const fields = readFields(text.replace(/\r$/, ''), FIELD)
    if (!fields || (names && fields.length !== names.length)) return { fault: 'not_csv' }
    if (names) return { value: Object.fromEntries(names.map((name, at) => [name, orNull(fields[at]!)])) }
    names = fields
    return undefined
  })
}

/** Rows as lists, each as long as the first one: what a user wrote into a field moves none of the others. */
function unnamedRowReader (): Read {
  let length: number | undefined
  return piece => readText(piece, text => {
    const fields = readFields(text.replace(/\r$/, ''), LOOSE_FIELD)!
    length ??= fields.length
    return fields.length === length ? { value: fields.map(orNull) } : { fault: 'not_csv' }
  })
}

function orNull (field: string): string | null {
  return field === '' ? null : field
}

/** The fields of a row; undefined if it is none. */
function readFields (row: string, field: RegExp): string[] | undefined {
  const fields: string[] = []
  field.lastIndex = 0
  for (;;) {
    const [, quoted, plain, end] = field.exec(row) ?? []
    if (end === undefined) return undefined
    fields.push(quoted?.replaceAll('""', '"') ?? plain!)
    if (end === '') return fields
  }
}

/** Keeps the bytes of one piece, over as many chunks as it has, and no more than may be. */
class Collector {
  #parts: Buffer[] = []
  #size = 0

  add (bytes: Buffer): void {
    this.#size += bytes.length
    if (this.#size <= MAX_ENTRY) this.#parts.push(bytes)
    else this.#parts = []
  }

  get isEmpty (): boolean {
    return this.#size === 0
  }

  take (): Buffer | undefined {
    const bytes = this.#size <= MAX_ENTRY ? Buffer.concat(this.#parts) : undefined
    ;[this.#parts, this.#size] = [[], 0]
    return bytes
  }
}

class LineCutter implements Cutter {
  readonly #collector = new Collector()
  #line = 1

  cut (chunk: Buffer): Piece[] {
    const pieces: Piece[] = []
    let from = 0
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      this.#collector.add(chunk.subarray(from, at))
      pieces.push({ line: this.#line++, bytes: this.#collector.take() })
      from = at + 1
    }
    this.#collector.add(chunk.subarray(from))
    return pieces
  }

  end (): Piece[] {
    return this.#collector.isEmpty ? [] : [{ line: this.#line, bytes: this.#collector.take() }]
  }
}

/** A line feed within quotation marks is part of a field. */
class RowCutter implements Cutter {
  readonly #collector = new Collector()
  #isQuoted = false
  #line = 1
  #begun = 1

  cut (chunk: Buffer): Piece[] {
    const pieces: Piece[] = []
    let from = 0
    for (const [at, byte] of chunk.entries()) {
      if (byte === QUOTE) this.#isQuoted = !this.#isQuoted
      if (byte !== LINE_FEED) continue
      this.#line++
      if (this.#isQuoted) continue
      this.#collector.add(chunk.subarray(from, at))
      pieces.push({ line: this.#begun, bytes: this.#collector.take() })
      from = at + 1
      this.#begun = this.#line
    }
    this.#collector.add(chunk.subarray(from))
    return pieces
  }

  end (): Piece[] {
    return this.#collector.isEmpty ? [] : [{ line: this.#begun, bytes: this.#collector.take(), isCutOff: this.#isQuoted }]
  }
}

/** The elements of the array that is the whole, or the member that holds the users, of the whole or of each of its elements. What stands around them is not looked at. */
class ElementCutter implements Cutter {
  readonly #collector = new Collector()
  #line = 1
  #depth = 0
  #isString = false
  #isEscaped = false
  /** The last string at the top of a document, or of an element. */
  #name: number[] = []
  /** How deep the elements lie, once it is known. */
  #elements: number | undefined
  #isOver = false
  /** Whether that which an element of an array names `users` has just been opened. */
  #isAtUsers = false
  /** The line of the element that has begun. */
  #begun: number | undefined

  cut (chunk: Buffer): Piece[] {
    const pieces: Piece[] = []
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (byte === LINE_FEED) this.#line++
      if (this.#isAtUsers && !BLANKS.has(byte)) this.#enter(byte)
      const isWithin = this.#isWithin()
      if (isWithin && !this.#isString && this.#depth === this.#elements && (byte === COMMA || byte === CLOSING_BRACKET)) {
        if (this.#begun !== undefined) {
          this.#collector.add(chunk.subarray(from, at))
          pieces.push({ line: this.#begun, bytes: this.#collector.take() })
        }
        this.#begun = undefined
      } else if (isWithin && this.#begun === undefined && !BLANKS.has(byte)) {
        [from, this.#begun] = [at, this.#line]
      }
      this.#step(byte)
    }
    if (this.#begun !== undefined) this.#collector.add(chunk.subarray(from))
    return pieces
  }

  end (): Piece[] {
    return this.#depth > 0 || this.#elements === undefined ? [{ line: this.#begun ?? this.#line, bytes: undefined, isCutOff: true }] : []
  }

  /** Where objects are listed, the element was a document, and they are the users. */
  #enter (byte: number): void {
    this.#isAtUsers = false
    if (byte !== OPENING_BRACE) return
    this.#collector.take()
    ;[this.#elements, this.#isOver, this.#begun] = [3, false, undefined]
  }

  #isWithin (): boolean {
    return this.#elements !== undefined && !this.#isOver
  }

  #step (byte: number): void {
    if (this.#isString) {
      this.#stepInString(byte)
    } else if (byte === QUOTE) {
      this.#isString = true
      this.#name = []
    } else if (byte === OPENING_BRACKET || byte === OPENING_BRACE) {
      this.#depth++
      if (byte === OPENING_BRACKET) this.#noteArray()
    } else if (byte === CLOSING_BRACKET || byte === CLOSING_BRACE) {
      if (this.#depth-- === this.#elements) this.#isOver = true
    }
  }

  #stepInString (byte: number): void {
    if (byte === QUOTE && !this.#isEscaped) this.#isString = false
    else if (this.#depth <= 2 && this.#name.length <= USERS.length) this.#name.push(byte)
    this.#isEscaped = byte === BACKSLASH && !this.#isEscaped
  }

  #noteArray (): void {
    const isUsers = String.fromCharCode(...this.#name) === USERS
    if (this.#elements === undefined && (this.#depth === 1 || (this.#depth === 2 && isUsers))) this.#elements = this.#depth
    else if (this.#depth === 3 && isUsers && (this.#elements === 1 || (this.#elements === 3 && this.#isOver))) this.#isAtUsers = true
  }
}
