import { test } from 'tap'
import { isNamed } from '../../src/clients/certificate-name.ts'
import type { CertificateName } from '../../src/clients/client-settings.ts'
import { createCertificate } from '../support/client-certificates.ts'

const subject = ['C=DE', 'O=Example, Inc.', 'CN=machine 1']
const { x509 } = createCertificate(subject, {
  names: {
    dns: 'machine.example.com',
    uri: 'https://machine.example.com/a,b',
    email: 'machine@example.com',
    ip: [192, 0, 2, 1],
  },
})
const is = (member: CertificateName['member'], value: string) => isNamed(x509, { member, value })

test('a certificate has its subject as RFC 4514 writes it: last part first', async (t) => {
  for (const name of [
    'CN=machine 1,O=Example\\, Inc.,C=DE',
    'cn=machine 1, o=Example\\, Inc., c=DE',
    ' CN = machine 1 , O = Example\\, Inc. , C = DE ',
  ]) {
    t.equal(is('subject_dn', name), true, name)
  }
  for (const name of [
    '',
    'CN=machine 1',
    'CN=machine 1,O=Example',
    'C=DE,O=Example\\, Inc.,CN=machine 1',
    'CN=machine 2,O=Example\\, Inc.,C=DE',
    'CN=Machine 1,O=Example\\, Inc.,C=DE',
    'CN=machine 1,O=Example,Inc.,C=DE',
    'machine.example.com',
  ]) {
    t.equal(is('subject_dn', name), false, name)
  }
})

test('a certificate has its alternative names, each of its kind only', async (t) => {
  t.equal(is('san_dns', 'machine.example.com'), true)
  t.equal(is('san_dns', 'MACHINE.example.com'), true)
  t.equal(is('san_uri', 'https://machine.example.com/a,b'), true)
  t.equal(is('san_email', 'machine@example.com'), true)
  t.equal(is('san_ip', '192.0.2.1'), true)
  for (const [member, value] of [
    ['san_dns', 'example.com'],
    ['san_dns', 'machine@example.com'],
    ['san_uri', 'https://machine.example.com/a'],
    ['san_uri', 'machine.example.com'],
    ['san_email', 'machine.example.com'],
    ['san_ip', '192.0.2.10'],
    ['san_ip', '::ffff:192.0.2.1'],
    ['san_ip', ''],
    ['san_dns', ''],
  ] as const) {
    t.equal(is(member, value), false, `${member} ${value}`)
  }
})

test('a name cannot hold another one', async (t) => {
  const tricks = createCertificate(['CN=a\nO=Example', 'CN=b,O=Example'], {
    names: { dns: 'a, DNS:machine.example.com', uri: 'x", DNS:machine.example.com, "' },
  })
  t.equal(isNamed(tricks.x509, { member: 'san_dns', value: 'machine.example.com' }), false)
  t.equal(isNamed(tricks.x509, { member: 'subject_dn', value: 'CN=b,O=Example,CN=a' }), false)
  const plain = createCertificate('nobody')
  t.equal(isNamed(plain.x509, { member: 'san_dns', value: 'nobody' }), false)
})
