// A QR code of a text (ISO/IEC 18004, model 2): bytes, the error correction M, the smallest version that holds it; holds no drawing.

/** By version, from 1: how many bytes of error correction a block has, and into how many blocks the bytes are parted (table 9, level M). */
const CORRECTION = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28]
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49]
const VERSIONS = CORRECTION.map((_, index) => index + 1)

/** Which modules are turned by each mask (table 10). @type {Array<(x: number, y: number) => boolean>} */
const MASKS = [
  (x, y) => (x + y) % 2 === 0, (_, y) => y % 2 === 0, x => x % 3 === 0, (x, y) => (x + y) % 3 === 0, (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => x * y % 2 + x * y % 3 === 0, (x, y) => (x * y % 2 + x * y % 3) % 2 === 0, (x, y) => ((x + y) % 2 + x * y % 3) % 2 === 0,
]

/** The rows of the code, in which true is dark; undefined of a text that is too long for any. @param {string} text @returns {boolean[][] | undefined} */
export function modulesOf (text) {
  const bytes = [...new TextEncoder().encode(text)]
  const version = VERSIONS.find(version => lengthBits(version) + 4 + bytes.length * 8 <= dataBytes(version) * 8)
  if (version === undefined) return undefined
  const bits = interleave(dataOf(bytes, version), version).flatMap(byte => toBits(byte, 8))
  const codes = MASKS.map((isTurned, mask) => new Code(version).fill(bits, isTurned).writeFormat(mask).rows)
  return codes.reduce((best, code) => penaltyOf(code) < penaltyOf(best) ? code : best)
}

const sizeOf = (/** @type {number} */ version) => version * 4 + 17
const lengthBits = (/** @type {number} */ version) => version < 10 ? 8 : 16

/** The places of the alignment patterns, the same across and down (annex E). @param {number} version */
function alignments (version) {
  if (version === 1) return []
  const count = Math.floor(version / 7) + 2
  const step = version === 32 ? 26 : Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2
  return [6, ...Array.from({ length: count - 1 }, (_, index) => sizeOf(version) - 7 - index * step).reverse()]
}

/** How many bytes a version has beside its patterns. @param {number} version */
function allBytes (version) {
  const count = alignments(version).length
  const patterns = version === 1 ? 0 : (25 * count - 10) * count - 55
  return Math.floor((16 * version * version + 128 * version + 64 - patterns - (version < 7 ? 0 : 36)) / 8)
}

/** How many of them are for the text. @param {number} version */
function dataBytes (version) {
  return allBytes(version) - blocksOf(version) * correctionOf(version)
}

const blocksOf = (/** @type {number} */ version) => /** @type {number} */ (BLOCKS[version - 1])
const correctionOf = (/** @type {number} */ version) => /** @type {number} */ (CORRECTION[version - 1])

/** @param {number} value @param {number} count the most significant first */
function toBits (value, count) {
  return Array.from({ length: count }, (_, index) => (value >>> (count - 1 - index)) % 2 === 1)
}

/** The text as it is written: what it is, how long, itself, and what fills up the rest (section 7.4). @param {number[]} bytes @param {number} version */
function dataOf (bytes, version) {
  const capacity = dataBytes(version)
  const bits = [...toBits(4, 4), ...toBits(bytes.length, lengthBits(version)), ...bytes.flatMap(byte => toBits(byte, 8))]
  bits.push(...Array(Math.min(4, capacity * 8 - bits.length)).fill(false))
  bits.push(...Array((8 - bits.length % 8) % 8).fill(false))
  const data = Array.from({ length: bits.length / 8 }, (_, index) => bits.slice(index * 8, index * 8 + 8).reduce((byte, bit) => byte * 2 + Number(bit), 0))
  return Array.from({ length: capacity }, (_, index) => data[index] ?? ((index - data.length) % 2 === 0 ? 236 : 17))
}

/** The blocks byte by byte in turn, and then what corrects them (section 7.6). @param {number[]} data @param {number} version */
function interleave (data, version) {
  const count = blocksOf(version)
  const short = Math.floor(data.length / count)
  const longs = data.length % count
  const blocks = Array.from({ length: count }, (_, index) => {
    const start = index * short + Math.max(0, index - (count - longs))
    return data.slice(start, start + short + (index < count - longs ? 0 : 1))
  })
  const divisor = divisorOf(correctionOf(version))
  return [...inTurn(blocks), ...inTurn(blocks.map(block => remainder(block, divisor)))]
}

/** @param {number[][]} blocks @returns {number[]} */
function inTurn (blocks) {
  return Array.from({ length: Math.max(...blocks.map(({ length }) => length)) }, (_, index) => blocks.flatMap(block => block.slice(index, index + 1))).flat()
}

/** In the field of 256 numbers that Reed and Solomon's code is over (section 7.5.2). @param {number} one @param {number} other @returns {number} */
function times (one, other) {
  let product = 0
  for (let bit = 7; bit >= 0; bit--) product = (product * 2 ^ (product >>> 7) * 285) ^ (other >>> bit) % 2 * one
  return product
}

/** The polynomial of this degree that the corrections are remainders of, without its leading 1. @param {number} degree */
function divisorOf (degree) {
  const divisor = [...Array(degree - 1).fill(0), 1]
  let root = 1
  for (let round = 0; round < degree; round++) {
    for (let index = 0; index < degree; index++) divisor[index] = times(divisor[index], root) ^ (divisor[index + 1] ?? 0)
    root = times(root, 2)
  }
  return divisor
}

/** @param {number[]} block @param {number[]} divisor @returns {number[]} */
function remainder (block, divisor) {
  return block.reduce((rest, byte) => {
    const factor = byte ^ /** @type {number} */ (rest[0])
    return divisor.map((part, index) => (rest[index + 1] ?? 0) ^ times(part, factor))
  }, /** @type {number[]} */ (Array(divisor.length).fill(0)))
}

/** The square with its patterns. */
class Code {
  #size
  /** @type {boolean[][]} */
  rows
  /** What is no place for data. @type {boolean[][]} */
  #taken

  /** @param {number} version */
  constructor (version) {
    this.#size = sizeOf(version)
    this.rows = Array.from({ length: this.#size }, () => Array(this.#size).fill(false))
    this.#taken = this.rows.map(row => [...row])
    const last = this.#size - 1
    for (let place = 0; place < this.#size; place++) {
      this.#set(6, place, place % 2 === 0)
      this.#set(place, 6, place % 2 === 0)
    }
    for (const [x, y] of /** @type {Array<[number, number]>} */ ([[3, 3], [last - 3, 3], [3, last - 3]])) this.#ring(x, y, 4)
    const places = alignments(version)
    const end = places.length - 1
    for (const [i, x] of places.entries()) for (const [j, y] of places.entries()) if (!(i === 0 && j === 0) && !(i === 0 && j === end) && !(i === end && j === 0)) this.#ring(x, y, 2)
    this.writeFormat(0)
    if (version > 6) this.#writeVersion(version)
  }

  /** Writes the bits where there is room, in columns of two, from the right, upwards and downwards in turn (section 7.7.3). @param {boolean[]} bits @param {(x: number, y: number) => boolean} isTurned */
  fill (bits, isTurned) {
    const next = bits.values()
    for (let right = this.#size - 1; right > 0; right -= 2) {
      // The column of the timing pattern is left out.
      if (right === 6) right = 5
      const isUpwards = (right + 1) % 4 < 2
      for (let step = 0; step < this.#size; step++) {
        const y = isUpwards ? this.#size - 1 - step : step
        for (const x of [right, right - 1]) if (!this.#taken[y]?.[x]) this.#write(x, y, Boolean(next.next().value) !== isTurned(x, y))
      }
    }
    return this
  }

  /** Which correction it is, and which mask, twice (section 7.9). @param {number} mask */
  writeFormat (mask) {
    const bits = toBits((mask << 10 | withChecks(mask, 10, 0x537)) ^ 0x5412, 15).reverse()
    const last = this.#size - 1
    for (const [index, bit] of bits.entries()) {
      this.#set(8, index < 6 ? index : index < 8 ? index + 1 : last - 14 + index, bit)
      this.#set(index < 8 ? last - index : index === 8 ? 7 : 14 - index, 8, bit)
    }
    this.#set(8, last - 7, true)
    return this
  }

  /** Which version it is, twice (section 7.10). @param {number} version */
  #writeVersion (version) {
    const bits = toBits(version << 12 | withChecks(version, 12, 0x1f25), 18).reverse()
    for (const [index, bit] of bits.entries()) {
      const [far, near] = [this.#size - 11 + index % 3, Math.floor(index / 3)]
      this.#set(far, near, bit)
      this.#set(near, far, bit)
    }
  }

  /** A pattern of rings around a place. @param {number} x @param {number} y @param {number} reach */
  #ring (x, y, reach) {
    for (let down = -reach; down <= reach; down++) {
      for (let across = -reach; across <= reach; across++) {
        const distance = Math.max(Math.abs(across), Math.abs(down))
        this.#set(x + across, y + down, reach === 4 ? distance !== 2 && distance !== 4 : distance !== 1)
      }
    }
  }

  /** @param {number} x @param {number} y @param {boolean} isDark */
  #set (x, y, isDark) {
    if (x < 0 || y < 0 || x >= this.#size || y >= this.#size) return
    this.#write(x, y, isDark)
    const row = /** @type {boolean[]} */ (this.#taken[y])
    row[x] = true
  }

  /** @param {number} x @param {number} y @param {boolean} isDark */
  #write (x, y, isDark) {
    const row = /** @type {boolean[]} */ (this.rows[y])
    row[x] = isDark
  }
}

/** What checks a number: the remainder by a polynomial of this degree over 0 and 1 (annexes C and D). @param {number} value @param {number} degree @param {number} polynomial */
function withChecks (value, degree, polynomial) {
  let rest = value
  for (let round = 0; round < degree; round++) rest = rest << 1 ^ (rest >>> (degree - 1)) * polynomial
  return rest
}

/** How hard a code is to read: runs and squares of one colour, what looks like a corner, and more dark than light (section 7.8.3). @param {boolean[][]} rows */
function penaltyOf (rows) {
  const columns = rows.map((_, x) => rows.map(row => Boolean(row[x])))
  const lines = [...rows, ...columns].map(line => line.map(Number).join(''))
  const runs = lines.flatMap(line => line.match(/0{5,}|1{5,}/g) ?? []).reduce((sum, { length }) => sum + length - 2, 0)
  const corners = lines.reduce((sum, line) => sum + 40 * [...line.matchAll(/(?=10111010000|00001011101)/g)].length, 0)
  let squares = 0
  for (const [y, row] of rows.slice(1).entries()) for (const [x, cell] of row.slice(1).entries()) if (cell === row[x] && cell === rows[y]?.[x] && cell === rows[y]?.[x + 1]) squares += 3
  const share = rows.flat().filter(Boolean).length / rows.length ** 2
  return runs + corners + squares + Math.floor(Math.abs(share - 0.5) * 20) * 10
}
