import t from 'tap'
import { serve } from '../cli/served.ts'

const { run, json } = await serve(t)
const schema = { type: 'object', properties: { amount: { type: 'string' } } }
const payment = { type: 'payment', description: 'Make a payment', schema }
const set = (text: string) => [
  ...['authorization-details-types', 'set', 'payment'],
  ...['--description', payment.description, '--schema', text],
]

t.test('a type is set, listed and removed', async (t) => {
  t.strictSame(await json(set(JSON.stringify(schema))), payment)
  t.strictSame(await json(['authorization-details-types', 'list']), [payment])
  const { stdout } = await run(['authorization-details-types', 'list'])
  t.match(stdout, /^payment +Make a payment$/m)
  const removal = ['authorization-details-types', 'remove', 'payment']
  t.strictSame(await json(removal), { removed: 'payment' })
  t.match(await run(removal), { code: 1, stderr: 'There is no such resource' })
})

t.test('what is no JSON, and what is no schema, is refused', async (t) => {
  t.match(await run(set('{')), { code: 2, stderr: 'It is not JSON.' })
  t.match(await run(set('{}')), { code: 1, stderr: 'must be a JSON Schema' })
})
