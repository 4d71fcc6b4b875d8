// A mail server of a proof's own (RFC 5321), and what came to it, by who it was for; holds no check.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'

const LOOK_EVERY_MS = 10
const PATIENCE_MS = 30_000

export class Mailbox {
  readonly #server: SMTPServer
  readonly #mails = new Map<string, string[]>()

  private constructor () {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, { envelope: { rcptTo } }, done) => {
        const parts: Buffer[] = []
        stream.on('data', (part: Buffer) => { parts.push(part) })
        stream.on('end', () => {
          for (const { address } of rcptTo) this.#keep(address, Buffer.concat(parts).toString())
          done()
        })
      },
    })
    // One that is killed while it sends a mail breaks off.
    this.#server.on('error', () => {})
  }

  static async open (): Promise<Mailbox> {
    const mailbox = new Mailbox()
    await once(mailbox.#server.listen(0, '127.0.0.1'), 'listening')
    return mailbox
  }

  /** Where it is reached, for the setting MAIL_URL. */
  get url (): string {
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}?starttls=never`
  }

  /** The token of the next link of a kind, such as `reset-password`, that came for an address. Throws where none comes. */
  async token (address: string, kind: string): Promise<string> {
    for (let waited = 0; waited < PATIENCE_MS; waited += LOOK_EVERY_MS) {
      for (const mail of this.#mails.get(address)?.splice(0) ?? []) {
        const token = new RegExp(`#${kind}=([\\w.-]+)`).exec(mail)?.[1]
        if (token) return token
      }
      await pause(LOOK_EVERY_MS)
    }
    throw new Error(`No mail with a link to ${kind} came for ${address}.`)
  }

  async close (): Promise<void> {
    await new Promise<void>(resolve => { this.#server.close(() => { resolve() }) })
  }

  /** As it reads once what it is written in for the way is undone (RFC 2045, section 6.7). */
  #keep (address: string, mail: string): void {
    const text = mail.replace(/=\r?\n/g, '').replace(/=([\dA-F]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    this.#mails.set(address, [...this.#mails.get(address) ?? [], text])
  }
}
