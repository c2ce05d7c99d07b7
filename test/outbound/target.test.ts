import { test } from 'tap'
import { isPublicAddress, readTarget } from '../../src/outbound/target.ts'

const notPublic = {
  'this machine': ['127.0.0.1', '127.255.0.9', '::1', '0.0.0.0', '0.1.2.3', '::'],
  'this network': ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12::1'],
  'this link': ['169.254.1.1', 'fe80::1', 'febf::1'],
  'metadata of clouds': ['169.254.169.254', 'fd00:ec2::254', '100.100.100.200'],
  'behind carrier NAT': ['100.64.0.1', '100.127.255.255'],
  'IPv4 within IPv6': [
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:169.254.169.254',
    '::127.0.0.1',
    '::7f00:1',
  ],
  'NAT64, 6to4, Teredo': ['64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::', '2001:0:1::1'],
  'multicast and broadcast': ['224.0.0.1', '239.1.1.1', '255.255.255.255', 'ff02::1'],
  'reserved and for documentation': [
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '240.0.0.1',
    '100::1',
    '2001:db8::1',
    '3fff::1',
    'fec0::1',
    '5f00::1',
    '4000::1',
  ],
  'no address': ['', 'localhost', '127.1', '2130706433', '0x7f.0.0.1', '0177.0.0.1', 'fe80::1%lo'],
}

for (const [what, addresses] of Object.entries(notPublic)) {
  test(`an address is not public: ${what}`, async (t) => {
    for (const address of addresses) t.equal(isPublicAddress(address), false, address)
  })
}

test('addresses of the internet are public', async (t) => {
  for (const address of ['1.1.1.1', '93.184.215.14', '::ffff:1.1.1.1', '2606:4700::1111']) {
    t.equal(isPublicAddress(address), true, address)
  }
})

const anywhere = { allowedHosts: [], privateHosts: [] }

test('a URL is not followed whatever its spelling of a private address is', async (t) => {
  const hosts = [
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '127.0.0.1.',
    '１２７.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '169.254.169.254',
    '[fd00:ec2::254]',
    '0',
  ]
  for (const host of hosts) t.equal(readTarget(`https://${host}/jwks`, anywhere), undefined, host)
})

test('a URL is followed by https only, without credentials', async (t) => {
  t.equal(readTarget('https://example.com/jwks?a=b', anywhere)?.url.host, 'example.com')
  const urls = [
    'http://example.com/jwks',
    'ftp://example.com/jwks',
    'file:///etc/passwd',
    'gopher://example.com',
    'data:application/json,{}',
    'https://user:password@example.com/',
    'https://user@example.com/',
    `https://example.com/${'x'.repeat(2000)}`,
    'example.com',
    '',
  ]
  for (const url of urls) t.equal(readTarget(url, anywhere), undefined, url.slice(0, 60))
})

test('an operator can name the only hosts there are', async (t) => {
  const policy = { allowedHosts: ['keys.example.com', '*.example.org'], privateHosts: [] }
  const followed = (url: string) => readTarget(url, policy) !== undefined
  for (const url of ['https://keys.example.com/', 'https://a.b.example.org/']) t.ok(followed(url))
  for (const host of ['example.com', 'xkeys.example.com', 'example.org', 'evilexample.org']) {
    t.notOk(followed(`https://${host}/`), host)
  }
})

test('an operator can name hosts that are private, on this machine by http too', async (t) => {
  const policy = { allowedHosts: [], privateHosts: ['app.internal', 'localhost', '127.0.0.1'] }
  t.ok(readTarget('https://app.internal/', policy)?.admits('10.0.0.1'))
  t.ok(readTarget('http://127.0.0.1:8080/', policy))
  t.notOk(readTarget('http://app.internal/', policy)?.admits('10.0.0.1'), 'not by http')
  t.notOk(readTarget('https://other.internal/', policy)?.admits('10.0.0.1'))
  t.notOk(readTarget('http://localhost/', policy)?.admits('1.1.1.1'), 'http leaves the machine')
  t.equal(readTarget('https://10.0.0.1/', policy), undefined)
})
