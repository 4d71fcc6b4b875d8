// From which address a request comes and to which host it goes, by the connection or by the word of a trusted proxy; holds no rule of what follows.
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv4, SocketAddress, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { AuthError } from '../../errors.js'

/** Whether what is at an address, so many hops away, may say whom it speaks for. */
type Trust = (address: string, hop: number) => boolean

/** RFC 3986, section 3.2.2, but for escapes and delimiters, which no name in use has. */
const HOST = /^(?:[\w.-]*|\[[\da-f:.]+\])(?::\d*)?$/i
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+)|\[([\da-f:.]+)\])(?::\d{1,5})?$/i
const MAPPED = '::ffff:'
/** RFC 4291, section 2.5.2: a connection that is gone has no address any more. */
const UNSPECIFIED = '::'

/** How Node hands over what came twice or not at all: whole, for us to refuse. */
export const HEADER_OPTIONS = { joinDuplicateHeaders: true, requireHostHeader: false }

/**
 * Makes `request.ip`, `request.host` and `request.protocol` what the proxies of `trustProxy` say, and nothing but an address, a host
 * and http or https; Fastify's own take any text. Refuses what names no host, or two (RFC 9112, section 3.2).
 */
export function addForwarding (app: FastifyInstance, trustProxy: string): void {
  const trust = readTrust(trustProxy)
  app.decorateRequest('ip', { getter () { return clientOf(this.raw, trust) } })
  app.decorateRequest('host', { getter () { return hostOf(this.raw, trust) } })
  app.decorateRequest('protocol', { getter () { return protocolOf(this.raw, trust) } })
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    if (namesHost(raw)) done()
    else done(new AuthError('invalid_request', { detail: 'The request must name one host, in one Host header.' }))
  })
}

/** Whether a request names one host, or is of a time when none had to (RFC 9112, section 3.2). */
export function namesHost ({ headers: { host }, httpVersion }: IncomingMessage): boolean {
  return host === undefined ? httpVersion === '1.0' : HOST.test(host)
}

function readTrust (setting: string): Trust {
  const hops = Number(setting)
  if (Number.isInteger(hops)) return (_address, hop) => hop < hops
  const ranges = new BlockList()
  for (const range of setting.split(',')) {
    const [address, bits] = range.trim().split('/') as [string, string?]
    ranges.addSubnet(address, Number(bits ?? (isIPv4(address) ? 32 : 128)), familyOf(address))
  }
  return address => ranges.check(address, familyOf(address))
}

/** The last address that is told by somebody trusted. What is no address is nobody's, and so its teller's. */
function clientOf ({ socket, headers }: IncomingMessage, trust: Trust): string {
  let address = peerOf(socket)
  let rest = headers['x-forwarded-for'] as string | undefined
  for (let hop = 0; rest !== undefined && trust(address, hop); hop++) {
    const told = readAddress(lastOf(rest))
    if (told === undefined) return address
    address = told
    rest = rest.includes(',') ? rest.slice(0, rest.lastIndexOf(',')) : undefined
  }
  return address
}

function hostOf (raw: IncomingMessage, trust: Trust): string {
  const told = toldBy(raw, 'x-forwarded-host', trust)
  return told && HOST.test(told) ? told : raw.headers.host ?? ''
}

function protocolOf (raw: IncomingMessage, trust: Trust): 'http' | 'https' {
  const told = toldBy(raw, 'x-forwarded-proto', trust)
  if (told === 'http' || told === 'https') return told
  return (raw.socket as TLSSocket).encrypted ? 'https' : 'http'
}

/** What the nearest proxy says, where it is trusted. */
function toldBy ({ socket, headers }: IncomingMessage, name: string, trust: Trust): string | undefined {
  const header = headers[name] as string | undefined
  return header !== undefined && trust(peerOf(socket), 0) ? lastOf(header) : undefined
}

function peerOf ({ remoteAddress }: Socket): string {
  return plainAddress(remoteAddress ?? UNSPECIFIED)
}

function lastOf (list: string): string {
  return list.slice(list.lastIndexOf(',') + 1).trim()
}

/** The address in one spelling, without the port that some proxies add; undefined for anything else. */
function readAddress (text: string): string | undefined {
  const [, v4, v6] = WITH_PORT.exec(text) ?? []
  const address = v4 ?? v6 ?? text
  // The zone of an address means something on the proxy alone, and may be of any length.
  return isIP(address) && !address.includes('%') ? plainAddress(address) : undefined
}

/** RFC 5952, section 4; an IPv4 address that came in IPv6's clothes is itself (RFC 4291, section 2.5.5.2). */
function plainAddress (address: string): string {
  if (isIPv4(address)) return address
  const { address: v6 } = new SocketAddress({ address, family: 'ipv6' })
  return v6.startsWith(MAPPED) && v6.includes('.') ? v6.slice(MAPPED.length) : v6
}

function familyOf (address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}
