// Sends mails over SMTP, and makes what stands in a file of the outbox; holds no text and no queue.
import { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { LetterRefused, type Letter, type Sender, type SendLetter } from '../core/letters.js'

/** What stays as it is on its way into the envelope: of anything else the recipient might become another. */
const PLAIN_ADDRESS = /^[^@<>\s\p{C}]+@[^@<>\s\p{C}]+$/u

/** How long is waited for a server, in milliseconds: until it greets, for more of an answer, and for all of it. */
export interface SmtpTimes { connect: number, answer: number, whole: number }

const TIMES: SmtpTimes = { connect: 10_000, answer: 30_000, whole: 110_000 }

/** The longest answer of a server, in bytes: far beyond what any needs (RFC 5321, section 4.5.3.1.5), and short enough for the log and for whoever is served meanwhile. */
const ANSWER_MAX_BYTES = 16_384
/** What of an answer is worth a line of the log. */
const SAID_MAX_LENGTH = 500

/** The mail server refused the mail for what it is or for whom; any other answer may be another one next time. */
const OF_THE_MAIL = new Set(['EENVELOPE', 'EMESSAGE'])

/** Who sends over SMTP by a URL as MAIL_URL has it. A connection is made for each mail: TLS from its start for smtps:, or by STARTTLS, which is demanded unless the URL says starttls=never. `tls` is what Node's TLS is to have beside. */
export function smtpSender (url: string, from: Sender, { times = TIMES, tls = {} }: { times?: SmtpTimes, tls?: ConnectionOptions } = {}): SendLetter {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url)
  const [isSecure, isPlain] = [protocol === 'smtps:', searchParams.get('starttls') === 'never']
  const options = {
    host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (isSecure ? 465 : 587), secure: isSecure, requireTLS: !isSecure && !isPlain, ignoreTLS: isPlain,
    ...(username !== '' && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: times.connect, greetingTimeout: times.connect, dnsTimeout: times.connect, socketTimeout: times.answer, maxResponseSize: ANSWER_MAX_BYTES, tls,
  }
  return async (to, letter) => {
    if (!PLAIN_ADDRESS.test(to)) throw new LetterRefused('There is no mail to such an address.')
    const socket = new Socket()
    // For a server that never stops to answer keeps its connection.
    const timer = setTimeout(() => { socket.destroy() }, times.whole)
    try {
      await createTransport({ ...options, socket }).sendMail(messageOf(from, to, letter))
    } catch (error) {
      throw toFault(error as SmtpError, to)
    } finally {
      clearTimeout(timer)
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

/** What nodemailer says of a mail that it could not send, with who was to get it in many places. */
interface SmtpError extends Error { code: string, command?: string, responseCode?: number }

// What goes into the log: what the server or the system said, and nobody's address.
function toFault ({ code, command, message, responseCode = 0 }: SmtpError, to: string): Error {
  const said = message.replace(inAnyCase(to), 'the recipient').slice(0, SAID_MAX_LENGTH)
  const sentence = `${said} (${[code, command].filter(Boolean).join(', ')})`
  return OF_THE_MAIL.has(code) && (responseCode === 0 || responseCode >= 500) ? new LetterRefused(sentence) : new Error(sentence)
}

function inAnyCase (text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'gi')
}
