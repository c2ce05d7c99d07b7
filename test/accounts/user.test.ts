import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { isUuid } from '../../src/accounts/user.ts'

test('a UUID in any case can be the id of a user', async (t) => {
  fc.assert(fc.property(fc.uuid(), (uuid) => isUuid(uuid) && isUuid(uuid.toUpperCase())))
  t.notOk(isUuid(`${randomUUID()}x`))
  t.notOk(isUuid(`svc_${randomUUID()}`))
  t.notOk(isUuid(randomUUID().replaceAll('-', '')), 'nor the other forms that PostgreSQL reads')
})
