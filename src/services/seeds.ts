// The seeds of authenticator apps as they are kept: sealed, each for one user; holds no secret and no storage.
import type { KeyObject } from 'node:crypto'
import type { RefreshSecret } from '../core/refresh-token.js'
import { open, seal } from '../core/seals.js'

/** What seals for years: the secret that does it now, where there is one, and those that did by their ids. */
export interface Sealing { current: () => RefreshSecret | undefined, find: (id: string) => KeyObject | undefined }

interface Sealed { userId: string, seed: string }

export class Seeds {
  readonly #sealing: Sealing

  constructor (sealing: Sealing) {
    this.#sealing = sealing
  }

  /** Whether any can be sealed. */
  get isReady (): boolean {
    return this.#sealing.current() !== undefined
  }

  /** A seed sealed for a user; undefined where there is no secret to seal it with. */
  async seal (userId: string, seed: Uint8Array): Promise<string | undefined> {
    const secret = this.#sealing.current()
    const sealed: Sealed = { userId, seed: Buffer.from(seed).toString('base64url') }
    return secret && await seal('totp-seed', sealed, secret)
  }

  /** The seed that was sealed for this user; undefined of any other, and of one whose secret is gone. */
  async open (userId: string, text: string): Promise<Buffer | undefined> {
    const sealed = await open('totp-seed', text, this.#sealing.find) as Sealed | undefined
    return sealed?.userId === userId ? Buffer.from(sealed.seed, 'base64url') : undefined
  }
}
