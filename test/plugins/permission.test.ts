import Fastify from 'fastify'
import { test } from 'tap'
import { administratorOf, guardByPermission } from '../../src/plugins/permission.ts'

const never = async (): Promise<never> => {
  throw new Error('nobody asked')
}
const options = { verifier: { verify: never }, issuer: 'https://issuer.example', findUser: never }

test('a route of the guarded scope that names no permission keeps the service from starting', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(async (scope) => {
    guardByPermission(scope, options)
    scope.get('/admin/forgotten', async () => 'secret')
  })
  await t.rejects(async () => app.ready(), new TypeError('/admin/forgotten names no permission'))
})

test('outside of the guarded scope there is no administrator', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/open', async (request) => administratorOf(request).id)
  const { statusCode } = await app.inject('/open')
  t.equal(statusCode, 500)
})
