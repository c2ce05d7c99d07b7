import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createSealer, SealError } from '../../src/secrets/sealer.ts'

const [older, newer, foreign] = [randomBytes(32), randomBytes(32), randomBytes(32)]
const row = 'row 1'

t.test('what is sealed opens in its own context, whatever it is', async (t) => {
  const sealer = createSealer([newer])
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), (plain, context) => {
      const opened = sealer.open(sealer.seal(plain, context), context)
      return opened.equals(plain)
    }),
  )
  t.pass('for every value and context')
})

t.test('sealing the same twice gives different bytes that do not contain the value', async (t) => {
  const sealer = createSealer([newer])
  const plain = randomBytes(32)
  const [first, second] = [sealer.seal(plain, row), sealer.seal(plain, row)]
  t.notOk(first.equals(second))
  t.notOk(first.includes(plain.subarray(0, 8)))
})

t.test('a changed byte at any position is refused', async (t) => {
  const sealer = createSealer([newer, older])
  const sealed = sealer.seal(randomBytes(20), row)
  for (let position = 0; position < sealed.length; position += 1) {
    for (const bit of [1, 128]) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(position) ^ bit, position)
      t.throws(() => sealer.open(changed, row), SealError, `bit ${bit} of byte ${position}`)
    }
  }
})

t.test('a shortened or lengthened value is refused', async (t) => {
  const sealer = createSealer([newer])
  const sealed = sealer.seal(randomBytes(20), row)
  for (let length = 0; length < sealed.length; length += 1) {
    t.throws(() => sealer.open(sealed.subarray(0, length), row), SealError, `${length} bytes`)
  }
  t.throws(() => sealer.open(Buffer.concat([sealed, Buffer.of(0)]), row), SealError, 'one more')
})

t.test('a value does not open in another row', async (t) => {
  const sealer = createSealer([newer])
  t.throws(
    () => sealer.open(sealer.seal(Buffer.from('x'), row), 'row 2'),
    new SealError(
      'row 2 cannot be opened: the sealed data were changed, or belong to another row; restore them from a backup',
    ),
  )
})

t.test('the newest key seals, the older ones still open', async (t) => {
  const before = createSealer([older]).seal(Buffer.from('x'), row)
  const both = createSealer([newer, older])
  t.strictSame(both.open(before, row), Buffer.from('x'))
  t.equal(both.isCurrent(before), false)
  const after = both.seal(Buffer.from('y'), row)
  t.equal(both.isCurrent(after), true)
  t.strictSame(createSealer([newer]).open(after, row), Buffer.from('y'))
})

t.test(
  'a new key configured second on all nodes opens what is sealed once it is first',
  async (t) => {
    const notYetSwitched = createSealer([older, newer])
    const switched = createSealer([newer, older])
    t.strictSame(notYetSwitched.open(switched.seal(Buffer.from('x'), row), row), Buffer.from('x'))
  },
)

t.test('without the key that was used, the error says what to do and never a key', async (t) => {
  const sealed = createSealer([foreign]).seal(Buffer.from('x'), row)
  const error = t.throws(
    () => createSealer([newer, older]).open(sealed, row),
    new SealError(
      'row 1 is sealed under a key-encryption key that is not configured: add the key that was used before to KEY_ENCRYPTION_KEY (or the file that KEY_ENCRYPTION_KEY_FILE names), after the newest one, separated by a comma',
    ),
  )
  for (const key of [newer, older, foreign]) {
    t.notOk(String(error).includes(key.toString('base64')))
    t.notOk(String(error).includes(key.toString('hex')))
  }
})

t.test('without any key the error says what to set', async (t) => {
  t.throws(
    () => createSealer([]),
    new SealError(
      'There is no key-encryption key: set KEY_ENCRYPTION_KEY or KEY_ENCRYPTION_KEY_FILE',
    ),
  )
})
