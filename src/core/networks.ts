// Which networks an address belongs to, where those who ask are told apart; holds no limit.
import { isIPv6 } from 'node:net'

/** Prefixes that one party may have to itself. */
export interface Networks {
  /** IPv4: the address; IPv6: its /48, the most that a site is given. */
  wide: string
  /** IPv4: the address; IPv6: its /64, the least that a site is given. */
  narrow: string
}

/** The networks of an address, however it is spelled. What is no address is a network of its own. */
export function networksOf (address: string): Networks {
  const own = address.replace(/^::ffff:(?=[\d.]+$)/i, '')
  if (!isIPv6(own)) return { wide: own, narrow: own }
  const groups = leadingGroups(own)
  return { wide: groups.slice(0, 3).join(':'), narrow: groups.join(':') }
}

/** The first four of the eight groups of an IPv6 address (RFC 4291, section 2.2). */
function leadingGroups (address: string): string[] {
  const [left = [], right = []] = address.replace(/[\d.]+\.\d+$/, '0:0').split('::').map(part => part.split(':').filter(Boolean))
  const zeros = Array<string>(8).fill('0').slice(left.length + right.length)
  return [...left, ...zeros, ...right].slice(0, 4).map(group => parseInt(group, 16).toString(16))
}
