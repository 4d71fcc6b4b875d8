// Which networks an address belongs to, and that no spelling of it hides that.
import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { networksOf } from '../../src/core/networks.js'

t.test('an IPv4 address is a network of its own, however a socket spells it', async t => {
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1']) t.strictSame(networksOf(address), { wide: '192.0.2.1', narrow: '192.0.2.1' })
})

t.test('an IPv6 address is of its /48 and of its /64', async t => {
  for (const [address, wide, narrow] of [
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1', '2001:db8:1:2'],
    ['2001:0DB8:0001::6', '2001:db8:1', '2001:db8:1:0'],
    ['2001:db8::2:3:4:5:6', '2001:db8:0', '2001:db8:0:2'],
    ['::1:2:3:4:5:192.0.2.1', '0:1:2', '0:1:2:3'],
    ['fe80::1%eth0', 'fe80:0:0', 'fe80:0:0:0'],
    ['::1', '0:0:0', '0:0:0:0'],
    ['2001:db8::', '2001:db8:0', '2001:db8:0:0'],
  ]) t.strictSame(networksOf(address!), { wide, narrow }, String(address))
})

t.test('two addresses are of one /64 if their first 64 bits are the same, and of one /48 likewise', async t => {
  const canonical = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1)
  fc.assert(fc.property(fc.ipV6().filter(isIPv6), address => {
    const { wide, narrow } = networksOf(address)
    const [a, b] = [canonical(`${narrow}::`), canonical(`${narrow}:${'ffff:'.repeat(3)}ffff`)]
    return narrow.startsWith(`${wide}:`) && networksOf(a).narrow === narrow && networksOf(b).narrow === narrow && networksOf(canonical(address)).narrow === narrow
  }))
})

t.test('what is no address is a network of its own', async t => {
  t.strictSame(networksOf('nobody'), { wide: 'nobody', narrow: 'nobody' })
})
