import fc from 'fast-check'
import t from 'tap'
import { maskSecrets } from '../../src/plugins/log-mask.ts'

const secretName = fc.constantFrom('password', 'refresh_token', 'client_secret', 'accessToken')
const plainName = fc.constantFrom('route', 'status', 'passwords', 'tokens')
const plain = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))

t.test('secrets are masked in the object, two levels below it, and in lists', async (t) => {
  t.same(
    maskSecrets({
      password: 'secret',
      status: 200,
      body: { token: 'secret', request: { cookie: ['secret'], path: '/' } },
      list: [{ id_token: 'secret', name: 'a' }],
    }),
    {
      password: '[masked]',
      status: 200,
      body: { token: '[masked]', request: { cookie: '[masked]', path: '/' } },
      list: [{ id_token: '[masked]', name: 'a' }],
    },
  )
})

t.test('the object that was logged stays as it is', async () => {
  const nested = fc.dictionary(fc.oneof(secretName, plainName), plain)
  const logged = fc.dictionary(fc.oneof(secretName, plainName), fc.oneof(plain, nested))
  fc.assert(
    fc.property(logged, (object) => {
      const before = JSON.stringify(object)
      maskSecrets(object)
      return JSON.stringify(object) === before
    }),
  )
})

t.test('an object without secrets is not even copied', async () => {
  const logged = fc.dictionary(plainName, fc.oneof(plain, fc.dictionary(plainName, plain)))
  fc.assert(fc.property(logged, (object) => maskSecrets(object) === object))
})

t.test('errors and what has a JSON of its own are left to their serializers', async (t) => {
  const [err, at, url] = [new Error('a'), new Date(0), new URL('http://localhost/?token=a')]
  t.equal(maskSecrets({ err, at, url }).err, err)
  t.equal(maskSecrets({ err, at, url, password: 'secret' }).at, at)
})
