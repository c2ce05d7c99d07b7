import fc from 'fast-check'
import t from 'tap'
import { formatRecord, formatTable, toCell } from '../../src/cli/output.ts'

t.test('a table has a line for its titles and one for each row, in columns', async (t) => {
  const rows = [
    { id: 'svc_1', scopes: ['a', 'b'], until: null },
    { id: 'first-party', scopes: [], until: 5 },
  ]
  const table = formatTable({ ID: 'id', UNTIL: 'until', SCOPES: 'scopes' }, rows)
  t.equal(
    table,
    ['ID           UNTIL  SCOPES', 'svc_1        -      a b', 'first-party  5      -'].join('\n'),
  )
})

t.test('a table without rows is its titles', async (t) => {
  t.equal(formatTable<{ id: string }>({ ID: 'id' }, []), 'ID')
})

t.test('a record has a line for each member', async (t) => {
  t.equal(
    formatRecord({ id: 'x', built_in: false, roles: ['user', 'admin'], name: null }),
    ['id        x', 'built_in  false', 'roles     user admin', 'name      -'].join('\n'),
  )
})

t.test('no value can steer the terminal or break a line', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => !/\p{Cc}/u.test(toCell(value))))
})
