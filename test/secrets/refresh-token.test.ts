import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import {
  decodeRefreshToken,
  deriveSuccessor,
  digestRefreshSecret,
  encodeRefreshToken,
  looksLikeRefreshToken,
  type MacKeys,
  type RefreshTokenParts,
} from '../../src/secrets/refresh-token.ts'

const newKey = () => createSecretKey(randomBytes(32))
const macKey = { number: 7, key: newKey() }
const holding = (...keys: (typeof macKey)[]): MacKeys => ({
  current: () => keys[0] ?? macKey,
  find: async (number) => keys.find((key) => key.number === number)?.key,
})
const macKeys = holding(macKey)

const anyParts: fc.Arbitrary<RefreshTokenParts> = fc.record({
  familyId: fc.uuid(),
  generation: fc.integer({ min: 1, max: 0xff_ff_ff_ff }),
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
})
const someParts = (): RefreshTokenParts => ({
  familyId: 'a2f3c1de-0001-4000-8000-00000000beef',
  generation: 3,
  secret: randomBytes(32),
})

t.test('a token decodes to what it was made of', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      anyParts,
      fc.integer({ min: 1, max: 255 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      async (parts, number, bytes) => {
        const key = { number, key: createSecretKey(bytes) }
        const token = encodeRefreshToken(parts, key)
        const decoded = await decodeRefreshToken(token, holding(key))
        return (
          looksLikeRefreshToken(token) &&
          decoded?.familyId === parts.familyId &&
          decoded.generation === parts.generation &&
          decoded.secret.equals(parts.secret)
        )
      },
    ),
  )
  t.pass('for all parts and keys')
})

t.test('the form is that of the design, byte by byte', async (t) => {
  const parts = someParts()
  const body = Buffer.concat([
    Buffer.of(7),
    Buffer.from('a2f3c1de00014000800000000000beef', 'hex'),
    Buffer.of(0, 0, 0, 3),
    parts.secret,
  ])
  const mac = createHmac('sha256', macKey.key).update('trt_').update(body).digest()
  t.equal(
    encodeRefreshToken(parts, macKey),
    `trt_${Buffer.concat([body, mac.subarray(0, 16)]).toString('base64url')}`,
  )
})

t.test('another character at any position is refused', async (t) => {
  const token = encodeRefreshToken(someParts(), macKey)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const accepted: string[] = []
  for (let position = 0; position < token.length; position += 1) {
    for (const letter of [...alphabet, '+', '/', '=', ' ', 'é']) {
      const changed = token.slice(0, position) + letter + token.slice(position + 1)
      if (changed === token) continue
      if (await decodeRefreshToken(changed, macKeys)) accepted.push(changed)
    }
  }
  t.strictSame(accepted, [])
})

t.test('every single-bit change of the bytes is refused', async (t) => {
  const bytes = Buffer.from(encodeRefreshToken(someParts(), macKey).slice(4), 'base64url')
  const accepted: number[] = []
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes)
    const position = bit >> 3
    changed.writeUInt8(changed.readUInt8(position) ^ (1 << (bit & 7)), position)
    if (await decodeRefreshToken(`trt_${changed.toString('base64url')}`, macKeys)) {
      accepted.push(bit)
    }
  }
  t.strictSame(accepted, [])
})

const genuine = encodeRefreshToken(someParts(), macKey)
const misshapen: Record<string, string> = {
  'an empty text': '',
  'only the prefix': 'trt_',
  'no prefix': genuine.slice(4),
  'another prefix': `tcs_${genuine.slice(4)}`,
  'the prefix in capitals': `TRT_${genuine.slice(4)}`,
  'one character less': genuine.slice(0, -1),
  'one character more': `${genuine}A`,
  'a trailing newline': `${genuine}\n`,
  'a trailing space': `${genuine} `,
  'a leading space': ` ${genuine}`,
  padding: `${genuine}==`,
  'two tokens': genuine + genuine,
  'a space inside': `${genuine.slice(0, 50)} ${genuine.slice(50)}`,
  'an access token': 'eyJhbGciOiJub25lIn0.e30.',
}
for (const [title, token] of Object.entries(misshapen)) {
  t.test(`${title} is not a refresh token`, async (t) => {
    t.equal(looksLikeRefreshToken(token), false)
    t.equal(await decodeRefreshToken(token, macKeys), undefined)
  })
}

t.test('a token of an unknown key, or of another key with its number, is refused', async (t) => {
  const other = { number: 7, key: newKey() }
  t.equal(await decodeRefreshToken(genuine, holding()), undefined)
  t.equal(await decodeRefreshToken(genuine, holding(other)), undefined)
})

t.test('the MAC binds the number of the key', async (t) => {
  const sameKeyOtherNumber = { number: 8, key: macKey.key }
  const bytes = Buffer.from(genuine.slice(4), 'base64url')
  bytes.writeUInt8(8, 0)
  const renumbered = `trt_${bytes.toString('base64url')}`
  t.equal(await decodeRefreshToken(renumbered, holding(macKey, sameKeyOtherNumber)), undefined)
})

t.test('generations run from 1 to 2^32 - 1', async (t) => {
  const at = (generation: number) => ({ ...someParts(), generation })
  const refused = new RangeError('a refresh-token generation is an integer from 1 to 2^32 - 1')
  for (const generation of [0, -1, 1.5, Number.NaN, 2 ** 32]) {
    t.throws(() => encodeRefreshToken(at(generation), macKey), refused, `${generation}`)
  }
  t.throws(() => deriveSuccessor(at(2 ** 32 - 1), randomBytes(16)), refused)
  t.equal(deriveSuccessor(at(2 ** 32 - 2), randomBytes(16)).generation, 2 ** 32 - 1)
})

t.test('a family is named by a UUID', async (t) => {
  const refused = new RangeError('a refresh-token family is named by a UUID')
  for (const familyId of ['', 'x', 'a2f3c1de-0001-4000-8000-00000000bee', 'g'.repeat(32)]) {
    t.throws(() => encodeRefreshToken({ ...someParts(), familyId }, macKey), refused, familyId)
  }
})

t.test('whoever holds the parent and the salt derives the same successor', async (t) => {
  fc.assert(
    fc.property(
      anyParts.filter(({ generation }) => generation < 0xff_ff_ff_ff),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (parent, salt) => {
        const [first, second] = [salt, Uint8Array.from(salt)].map((bytes) =>
          deriveSuccessor({ ...parent }, Buffer.from(bytes)),
        )
        return (
          first?.secret.equals(second?.secret ?? Buffer.of()) === true &&
          first.secret.length === 32 &&
          first.familyId === parent.familyId &&
          first.generation === parent.generation + 1 &&
          !first.secret.equals(parent.secret)
        )
      },
    ),
  )
  t.pass('for all parents and salts')
})

t.test('another salt, secret, generation or family gives another successor', async (t) => {
  const parent = someParts()
  const salt = randomBytes(16)
  const successors = [
    deriveSuccessor(parent, salt),
    deriveSuccessor(parent, randomBytes(16)),
    deriveSuccessor({ ...parent, secret: randomBytes(32) }, salt),
    deriveSuccessor({ ...parent, generation: 4 }, salt),
    deriveSuccessor({ ...parent, familyId: 'a2f3c1de-0001-4000-8000-00000000bee0' }, salt),
  ]
  t.equal(new Set(successors.map(({ secret }) => secret.toString('hex'))).size, 5)
})

t.test('the stored digest differs by secret, generation and family', async (t) => {
  const parts = someParts()
  const digests = [
    digestRefreshSecret(parts),
    digestRefreshSecret({ ...parts, secret: randomBytes(32) }),
    digestRefreshSecret({ ...parts, generation: 4 }),
    digestRefreshSecret({ ...parts, familyId: 'a2f3c1de-0001-4000-8000-00000000bee0' }),
  ]
  t.equal(new Set(digests.map((digest) => digest.toString('hex'))).size, 4)
  t.strictSame(digestRefreshSecret({ ...parts }), digests[0])
  t.equal(digests[0]?.length, 32)
})
