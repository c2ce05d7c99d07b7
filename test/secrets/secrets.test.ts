import { createHash } from 'node:crypto'
import t from 'tap'
import { createClientSecret, digestClientSecret } from '../../src/secrets/client-secret.ts'
import { equalInConstantTime, sha256 } from '../../src/secrets/digest.ts'
import { randomId, randomSecret, randomToken } from '../../src/secrets/random.ts'

t.test('a secret is 32 random bytes, a token the same in base64url', async (t) => {
  t.equal(randomSecret().length, 32)
  t.match(randomToken(), /^[A-Za-z0-9_-]{43}$/)
  t.equal(new Set(Array.from({ length: 1000 }, () => randomToken(8))).size, 1000)
})

t.test('an id is a UUID of version 4 (RFC 9562 §5.4)', async (t) => {
  t.match(randomId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

t.test('sha256 is the digest of FIPS 180-4', async (t) => {
  t.equal(
    sha256('abc').toString('hex'),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

t.test('values are equal only when every byte is', async (t) => {
  const value = randomSecret()
  t.ok(equalInConstantTime(value, Buffer.from(value)))
  for (let position = 0; position < value.length; position += 1) {
    const other = Buffer.from(value)
    other.writeUInt8(other.readUInt8(position) ^ 1, position)
    t.notOk(equalInConstantTime(value, other), `byte ${position}`)
  }
  t.notOk(equalInConstantTime(value, value.subarray(1)), 'another length')
  t.ok(equalInConstantTime(Buffer.alloc(0), Buffer.alloc(0)))
})

t.test('a client secret has a prefix that scanners find, and is kept as its digest', async (t) => {
  const { secret, digest } = createClientSecret()
  t.match(secret, /^tcs_[A-Za-z0-9_-]{43}$/)
  t.strictSame(digest, createHash('sha256').update(secret).digest())
  t.strictSame(digestClientSecret(secret), digest)
  t.not(createClientSecret().secret, secret)
})
