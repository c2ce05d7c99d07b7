import t from 'tap'
import { toProofUrl } from '../../src/dpop/proof-url.ts'

const same: readonly (readonly [text: string, url: string])[] = [
  ['https://as.example/token', 'https://as.example/token'],
  ['https://as.example/token?a=b#c', 'https://as.example/token'],
  ['HTTPS://AS.Example:443/token', 'https://as.example/token'],
  ['http://as.example:80/', 'http://as.example/'],
  ['https://as.example', 'https://as.example/'],
  ['https://as.example:8443/token', 'https://as.example:8443/token'],
  ['https://as.example/a/./b/../token', 'https://as.example/a/token'],
  ['https://as.example/%7Euser/%e4%2f', 'https://as.example/~user/%E4%2F'],
  ['https://[::1]/token', 'https://[::1]/token'],
]

for (const [text, url] of same) {
  t.test(`${text} is ${url} (RFC 3986 §6.2.2, §6.2.3)`, async (t) => {
    t.equal(toProofUrl(text), url)
  })
}

const none = [
  '',
  '/token',
  'as.example/token',
  'ftp://as.example/token',
  'urn:token',
  'https://user@as.example/token',
  'https://:secret@as.example/token',
  ' https://as.example/token',
  'https://as.example/to\nken',
  'https:\\\\as.example\\token',
  'https://as.example/tökén',
  'https://',
]

for (const text of none) {
  t.test(`${JSON.stringify(text)} is no address of an endpoint`, async (t) => {
    t.equal(toProofUrl(text), undefined)
  })
}
