import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { describeApi } from '../src/cli/api-description.ts'
import { apiVersion } from '../src/endpoints/documentation.ts'

type Operation = {
  readonly operationId?: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly responses: Record<string, { description: string }>
}
type Description = { readonly paths: Record<string, Record<string, Operation>> }

const root = new URL('../', import.meta.url)
const committed = readFileSync(new URL('openapi.yaml', root), 'utf8')

const read = async () => {
  const validator = new Validator()
  const result = await validator.validate(committed)
  const { paths } = validator.specification as unknown as Description
  const operations = Object.values(paths).flatMap((path) => Object.values(path))
  return { result, version: validator.version, operations, paths }
}

t.test(
  'openapi.yaml is what the routes say of themselves (npm run openapi writes it)',
  async (t) => {
    t.equal(await describeApi(), committed)
  },
)

t.test('openapi.yaml is a valid description in OpenAPI 3.1', async (t) => {
  const { result, version } = await read()
  t.same(result, { valid: true })
  t.equal(version, '3.1')
})

t.test(
  'every operation has a name of its own, a summary, a tag and described responses',
  async (t) => {
    const { operations } = await read()
    const names = operations.map(({ operationId }) => operationId)
    t.equal(new Set(names).size, operations.length)
    for (const { operationId = '', summary, tags, responses } of operations) {
      t.ok(operationId && summary, operationId)
      t.equal(tags?.length, 1, operationId)
      for (const { description } of Object.values(responses)) {
        t.not(description, 'Default Response', operationId)
      }
    }
  },
)

t.test('the description names the version of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
  t.equal(apiVersion, version)
})
