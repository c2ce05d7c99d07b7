import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sha256 } from '../secrets/digest.ts'
import { type Language, type MessageKey, say } from './messages.ts'
import type { PageData, PageName } from './page-data.ts'
import { loadTemplates } from './templates.ts'

/** A stylesheet of the pages. */
export type Stylesheet = {
  /** Below the base path. */
  readonly path: string
  readonly text: string
  /** Changes with the text, so that browsers may keep what they have. */
  readonly version: string
}

/** What a page needs beside its data. */
export type PageFrame = {
  readonly language: Language
  /** For the forms of the page; absent where it has none of ours. */
  readonly csrfToken?: string
  /** Of the page's one script, if it has one. */
  readonly nonce?: string
}

export type Views = {
  readonly stylesheets: readonly Stylesheet[]
  render<Page extends PageName>(page: Page, data: PageData[Page], frame: PageFrame): string
}

/**
 * The pages, ready to be shown.
 * @param basePath of the issuer, before every address
 * @param templatesDir a folder whose templates stand in for ours of the same name
 * @throws {TemplateError}
 */
export const createViews = (basePath: string, templatesDir: string | undefined): Views => {
  const templates = loadTemplates(templatesDir)
  const simple = fileURLToPath(import.meta.resolve('simpledotcss/simple.min.css'))
  const stylesheets = [
    toStylesheet('simple.css', readFileSync(simple, 'utf8')),
    toStylesheet('tessera.css', templates.read('tessera.css')),
  ]
  const hrefs = stylesheets.map(({ path, version }) => `${basePath}${path}?v=${version}`)

  return {
    stylesheets,
    render(page, data, frame) {
      const { language } = frame
      const client = 'client' in data ? (data.client ?? '') : ''
      return templates.render(page, {
        ...{ csrfToken: '', nonce: '', ...frame, page, data, stylesheets: hrefs },
        title: say(language, `${page}.title`, { client }),
        say: (key: MessageKey, values: Readonly<Record<string, string>>) =>
          say(language, key, values),
      })
    },
  }
}

const toStylesheet = (name: string, text: string): Stylesheet => ({
  path: `/assets/${name}`,
  text,
  version: sha256(text).toString('hex').slice(0, 12),
})
