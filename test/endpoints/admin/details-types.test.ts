import { test } from 'tap'
import { isDone, isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

const url = '/admin/authorization-details-types'
const schema = { type: 'object', properties: { amount: { type: 'string' } }, required: ['amount'] }
const payment = { type: 'https://pay.example/payment', description: 'Make a payment', schema }

test('types of authorization details as administrators manage them', async (t) => {
  const api = await startAdminApi(t)
  const { token } = await api.joinAdmin()

  await t.test('one is created, replaced, listed and removed', async (t) => {
    for (const description of ['x', payment.description]) {
      const { status, json } = await api.put(url, { ...payment, description }, token)
      t.strictSame([status, json], [200, { ...payment, description }])
    }
    t.strictSame((await api.get(url, token)).json, { types: [payment] })
    t.strictSame(api.deps.detailsTypes.all(), [payment], 'and is known at once')

    const its = `${url}/${encodeURIComponent(payment.type)}`
    isDone(t, await api.delete(its, token))
    isProblem(t, await api.delete(its, token), 'not_found')
    t.strictSame((await api.get(url, token)).json, { types: [] })
    t.equal(api.deps.detailsTypes.find(payment.type), undefined)
  })

  await t.test('what cannot be is refused, all at once', async (t) => {
    const faults = { type: 'a b', description: ' ', schema: { type: 'objekt' } }
    isProblem(t, await api.put(url, faults, token), 'validation', {
      fields: [
        {
          field: 'type',
          message:
            'must be 1 to 200 printable ASCII characters without spaces, quotes and backslashes',
        },
        { field: 'description', message: 'must be 1 to 500 characters of text' },
        {
          field: 'schema',
          message:
            'must be a JSON Schema of an object with properties, of the keywords that are documented',
        },
      ],
    })
  })
})
