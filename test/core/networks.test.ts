// One network has one name.
import t from 'tap'
import { networkOf } from '../../src/core/networks.js'

t.test('an IPv4 address is a network of its own, also where it is written as IPv6', async t => {
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1']) t.equal(networkOf(address), '192.0.2.1')
})

t.test('IPv6 addresses of one /64 are one network, however they are written', async t => {
  const cases: Array<[string, string[]]> = [
    ['2001:db8:0:1::/64', ['2001:db8:0:1::', '2001:db8:0:1::1', '2001:DB8:0:1:a:b:c:d', '2001:0db8:0000:0001:0:0:0:1', '2001:db8::1:0:0:0:1']],
    ['2001:db8:0:0::/64', ['2001:db8::', '2001:db8::1', '2001:db8::1:0:0:1', '2001:db8:0:0:1::']],
    ['0:0:0:0::/64', ['::', '::1', '0:0:0:0:0:0:0:1']],
    ['fe80:0:0:0::/64', ['fe80::1%eth0']],
  ]
  for (const [network, addresses] of cases) for (const address of addresses) t.equal(networkOf(address), network, address)
})
