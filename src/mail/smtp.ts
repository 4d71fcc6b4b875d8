// Sends mails over SMTP, and makes what stands in a file of the outbox; holds no text and no queue.
import type { ConnectionOptions } from 'node:tls'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { LetterRefused, type Letter, type Sender, type SendLetter } from '../core/letters.js'

/** How long is waited for a server, in milliseconds. */
export interface SmtpTimes { connect: number, answer: number }

const TIMES: SmtpTimes = { connect: 10_000, answer: 30_000 }

/** The mail server refused the mail for what it is or for whom; any other answer may be another one next time. */
const OF_THE_MAIL = new Set(['EENVELOPE', 'EMESSAGE'])

/** Who sends over SMTP by a URL as MAIL_URL has it. A connection is made for each mail: TLS from its start for smtps:, or by STARTTLS, which is demanded unless the URL says starttls=never. `tls` is what Node's TLS is to have beside. */
export function smtpSender (url: string, from: Sender, { times = TIMES, tls = {} }: { times?: SmtpTimes, tls?: ConnectionOptions } = {}): SendLetter {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url)
  const [isSecure, isPlain] = [protocol === 'smtps:', searchParams.get('starttls') === 'never']
  const transport = createTransport({
    host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (isSecure ? 465 : 587), secure: isSecure, requireTLS: !isSecure && !isPlain, ignoreTLS: isPlain,
    ...(username !== '' && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: times.connect, greetingTimeout: times.connect, dnsTimeout: times.connect, socketTimeout: times.answer, tls,
  })
  return async (to, letter) => {
    try {
      await transport.sendMail(messageOf(from, to, letter))
    } catch (cause) {
      throw isFinal(cause) ? new LetterRefused('The mail server refused the mail.', { cause }) : cause
    }
  }
}

/** The mail as it would be sent. */
export async function writeMessage (from: Sender, to: string, letter: Letter): Promise<Buffer> {
  const { message } = await createTransport({ streamTransport: true, buffer: true }).sendMail(messageOf(from, to, letter))
  return message as Buffer
}

// Addresses as objects, for in a text a comma is between two of them.
function messageOf (from: Sender, to: string, { subject, text, html }: Letter): SendMailOptions {
  return { from, to: { name: '', address: to }, subject, text, html, headers: { 'Auto-Submitted': 'auto-generated' }, disableFileAccess: true, disableUrlAccess: true }
}

function isFinal (error: unknown): boolean {
  const { code = '', responseCode = 0 } = error as { code?: string, responseCode?: number }
  return OF_THE_MAIL.has(code) && (responseCode === 0 || responseCode >= 500)
}
