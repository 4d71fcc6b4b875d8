// A map of the keys asked about last; holds no clock and no meaning of a value.

export class RecentMap<Value extends {}> {
  readonly #capacity: number
  readonly #values = new Map<string, Value>()

  /** Beyond `capacity` keys the one that nobody has asked about for longest is forgotten. */
  constructor (capacity: number) {
    this.#capacity = capacity
  }

  get (key: string): Value | undefined {
    const value = this.#values.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }

  // A map keeps the order in which its keys were set.
  set (key: string, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size > this.#capacity) this.#values.delete(this.#values.keys().next().value!)
  }

  delete (key: string): void {
    this.#values.delete(key)
  }
}
