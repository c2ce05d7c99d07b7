import { readFileSync } from 'node:fs'
import t from 'tap'
import { configurationRows } from './support/configuration-text.ts'

t.test('the README’s table of settings is the schema’s, row by row', async (t) => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [, table] =
    /<!-- configuration -->\n([\s\S]*?)\n<!-- \/configuration -->/.exec(readme) ?? []
  t.same(table?.split('\n'), configurationRows())
})
