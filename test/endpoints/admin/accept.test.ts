import { test } from 'tap'
import { isAskedFor } from '../../../src/endpoints/admin/accept.ts'

const ndjson = 'application/x-ndjson'

test('another media type is given to whoever names it and wants nothing else more', async (t) => {
  const wanted: Readonly<Record<string, boolean>> = {
    '': false,
    '*/*': false,
    'application/*': false,
    'application/json': false,
    'application/x-ndjson': true,
    'APPLICATION/X-NDJSON': true,
    'application/x-ndjson;charset=utf-8': true,
    'application/x-ndjson ; Q=0.5': true,
    'application/x-ndjson, */*': true,
    'text/html, application/x-ndjson;q=0.9, */*;q=0.1': true,
    'application/json;q=0.5, application/x-ndjson': true,
    'application/x-ndjson;q=0': false,
    'application/x-ndjson;q=0.000, application/json': false,
    'application/x-ndjson;q=0.5, application/json': false,
    'application/x-ndjson;q=0.5, application/*': false,
    'application/x-ndjson;q=0.5, */*': false,
    'application/x-ndjson;q=much': false,
    'application/x-ndjson-seq': false,
  }
  for (const [header, expected] of Object.entries(wanted)) {
    t.equal(isAskedFor(header, ndjson, 'application/json'), expected, header)
  }
  t.equal(isAskedFor(undefined, ndjson, 'application/json'), false)
})
