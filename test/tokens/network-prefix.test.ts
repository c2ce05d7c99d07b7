import { test } from 'tap'
import { networkPrefix } from '../../src/tokens/network-prefix.ts'

const same: readonly [rule: string, string | undefined, string | undefined][] = [
  ['IPv4 addresses of one /24', '203.0.113.7', '203.0.113.250'],
  ['IPv6 addresses of one /64', '2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
  ['spellings of one IPv6 network', '2001:db8::1', '2001:0db8:0000:0000::2'],
  ['an IPv4 address and its IPv6-mapped form', '203.0.113.7', '::ffff:203.0.113.9'],
  ['unknown addresses', undefined, 'garbage'],
]
for (const [rule, one, other] of same) {
  test(`network prefix: ${rule} are one network`, async (t) => {
    t.equal(networkPrefix(one), networkPrefix(other))
  })
}

const different: readonly [rule: string, string, string][] = [
  ['IPv4 addresses of two /24', '203.0.113.7', '203.0.114.7'],
  ['IPv6 addresses of two /64', '2001:db8:1:2::1', '2001:db8:1:3::1'],
  ['IPv6 networks that differ in a compressed group', '2001:db8:0:1::1', '2001:db8:1::1'],
  ['an IPv4 and an IPv6 address', '203.0.113.7', '2001:db8::1'],
]
for (const [rule, one, other] of different) {
  test(`network prefix: ${rule} are two networks`, async (t) => {
    t.not(networkPrefix(one), networkPrefix(other))
  })
}
