import { test } from 'tap'
import { isRedirectUri } from '../../src/oauth/redirect-uri.ts'

const good = [
  'https://app.example/back',
  'https://app.example/back?from=tessera',
  'http://127.0.0.1:3000/back',
  'http://[::1]/back',
  'http://localhost/back',
  'com.example.app:/back',
]

const bad = {
  'is relative': '/back',
  'has a fragment (RFC 6749 §3.1.2)': 'https://app.example/back#here',
  'has an empty fragment': 'https://app.example/back#',
  'is http to another machine (RFC 9700 §2.6)': 'http://app.example/back',
  'runs as a script': 'javascript:alert(1)',
  'is data': 'data:text/html,hello',
  'has a private scheme without a dot (RFC 8252 §7.1)': 'myapp:/back',
  'holds credentials': 'https://user:password@app.example/back',
  'has white space': 'https://app.example/ back',
  'is not ASCII': 'https://app.example/zurück',
  'is too long': `https://app.example/${'x'.repeat(2000)}`,
  'is empty': '',
}

test('a redirect URI may be registered', async (t) => {
  for (const uri of good) t.ok(isRedirectUri(uri), uri)
})

for (const [reason, uri] of Object.entries(bad)) {
  test(`a redirect URI is refused when it ${reason}`, async (t) => {
    t.notOk(isRedirectUri(uri))
  })
}
