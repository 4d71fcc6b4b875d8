// Which addresses count as one; holds no limit.

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** The network that an address stands for: an IPv4 address itself, of an IPv6 one its /64, which is what one subscriber gets (RFC 6177). */
export function networkOf (address: string): string {
  const plain = MAPPED.exec(address)?.[1] ?? address
  if (!plain.includes(':')) return plain
  const [before, after] = plain.toLowerCase().split('::', 2).map(part => part.split(':').filter(Boolean))
  const zeros = after ? Array<string>(Math.max(0, 8 - before!.length - after.length)).fill('0') : []
  const groups = [...before!, ...zeros, ...after ?? []]
  return `${groups.slice(0, 4).map(group => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}
