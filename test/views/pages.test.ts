import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { languages } from '../../src/views/messages.ts'
import { createViews } from '../../src/views/pages.ts'
import { TemplateError } from '../../src/views/templates.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { pageExamples } from './page-examples.ts'

const views = createViews('/auth', undefined)

t.test('every page is rendered in every language, and says everything', async (t) => {
  for (const language of languages) {
    for (const [page, data] of Object.entries(pageExamples)) {
      const html = views.render(page as 'sign-in', data as never, { language, csrfToken: 'token' })
      t.match(html, new RegExp(`^<!doctype html>\\n<html lang="${language}">`), page)
      t.match(html, /<meta name="viewport" content="width=device-width, initial-scale=1">/)
      t.notMatch(html, /undefined|\[object|\{[a-z]+\}/, `${page}: nothing is missing`)
      t.notMatch(html, /\bon[a-z]+="|style="|javascript:/i, `${page}: no inline code`)
      t.notMatch(
        html.replaceAll('https://app.example', ''),
        /https?:\/\//,
        `${page}: nothing foreign`,
      )
    }
  }
})

t.test('whatever people and clients call themselves stays text', async (t) => {
  const evil = '"><script>alert(1)</script>&\'`'
  const html = views.render(
    'sign-in',
    { action: `/sign-in?request=${evil}`, username: evil, client: evil },
    { language: 'en', csrfToken: evil },
  )
  t.notMatch(html, /<script/)
  t.notMatch(html, /"">/)
  t.match(html, /&quot;&gt;&lt;script&gt;/)
})

t.test('TEMPLATES_DIR', async (t) => {
  await t.test('stands in for single templates and for the stylesheet', async (t) => {
    const folder = temporaryFolder('templates')
    writeFileSync(join(folder, 'signed-out.eta'), 'Bye from <%= it.language %> <%= it.title %>')
    writeFileSync(join(folder, 'tessera.css'), 'body { color: teal }')
    const branded = createViews('', folder)
    const frame = { language: 'en' } as const
    const data = { signInHref: '/sign-in' }
    t.equal(branded.render('signed-out', data, frame), 'Bye from en You are signed out')
    t.equal(branded.stylesheets[1]?.text, 'body { color: teal }')
    const page = branded.render('device-done', {}, frame)
    t.match(page, /id="page-device-done"/, 'the others are ours')
    t.not(branded.stylesheets[1]?.version, views.stylesheets[1]?.version)
  })

  await t.test('that is not there, or holds a broken template, ends the start', async (t) => {
    const folder = temporaryFolder('templates')
    const missing = join(folder, 'missing')
    t.throws(
      () => createViews('', missing),
      new TemplateError(`TEMPLATES_DIR is not there: ${missing}`),
    )
    mkdirSync(join(folder, 'broken'))
    writeFileSync(join(folder, 'broken', 'sign-in.eta'), '<% if (it.data.x) { %> open')
    t.throws(() => createViews('', join(folder, 'broken')), {
      name: 'TemplateError',
      message: /^The template .*sign-in\.eta is broken: /,
    })
  })
})
