import { existsSync, globSync, readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const pages = globSync('docs/*.md', { cwd: root })

t.test(
  'the README leads to every page, and every page has a test that pastes its lines',
  async (t) => {
    const readme = read('README.md')
    t.ok(pages.length >= 6)
    for (const page of pages) {
      t.ok(readme.includes(`](${page})`), page)
      const name = page.replace(/^docs\/(.*)\.md$/, '$1.test.ts')
      const tests = [`test/docs/${name}`, `test/full/${name}`].map((path) => new URL(path, root))
      t.ok(
        tests.some((test) => existsSync(test)),
        page,
      )
    }
  },
)

t.test('every link of a page leads somewhere', async (t) => {
  for (const page of pages) {
    const targets = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, to]) => to ?? '')
    t.strictSame(
      targets.filter((to) => !existsSync(new URL(to, new URL(page, root)))),
      [],
      page,
    )
  }
})
