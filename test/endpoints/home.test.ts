import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { home } from '../../src/endpoints/home.ts'
import { basePathOf } from '../../src/plugins/base-path.ts'
import { createTestServer } from '../plugins/test-server.ts'

const start = async (issuer: string) => {
  const config = loadConfig({ ISSUER: issuer }, () => '')
  const { app } = await createTestServer(t, (scope) => {
    scope.register(home, { config, prefix: basePathOf(issuer) })
  })
  return app
}

const issuer = 'https://issuer.example'

for (const accept of [
  undefined,
  '*/*',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'text/html, application/json',
  'application/json;q=0.5, text/html',
  'application/json;q=0',
]) {
  t.test(`the first page is a page for Accept: ${accept}`, async (t) => {
    const app = await start(issuer)
    const answer = await app.inject({ url: '/', headers: accept === undefined ? {} : { accept } })
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
    t.match(answer.headers.vary, /Accept/)
    t.match(answer.body, /^<!doctype html>\n<html lang="en">/)
  })
}

for (const accept of ['application/json', 'text/html;q=0.5,application/json', 'Application/JSON']) {
  t.test(`the first page is JSON for Accept: ${accept}`, async (t) => {
    const app = await start(issuer)
    const answer = await app.inject({ url: '/', headers: { accept } })
    t.match(answer.headers.vary, /Accept/)
    const { description, ...places } = answer.json()
    t.type(description, 'string')
    t.same(places, {
      name: 'Tessera',
      issuer,
      documentation: '/docs',
      metadata: '/.well-known/oauth-authorization-server',
      keys: '/.well-known/jwks.json',
      health: '/health/ready',
    })
  })
}

t.test(
  'the first page runs nothing, styles nothing inline and loads only its own files',
  async (t) => {
    const app = await start(issuer)
    const answer = await app.inject('/')
    t.notMatch(answer.body, /<script|<style|style=|\son\w+=|https?:\/\/(?!issuer\.example)/i)
    t.match(answer.headers['content-security-policy'], /default-src 'none'.*style-src 'self'/)
    t.match(answer.body, /<meta name="viewport" content="width=device-width, initial-scale=1">/)
    t.match(answer.body, /<meta name="color-scheme" content="light dark">/)

    const stylesheet = /<link rel="stylesheet" href="([^"]+)">/.exec(answer.body)?.[1] ?? ''
    const style = await app.inject(stylesheet)
    t.equal(style.statusCode, 200)
    t.match(style.headers['content-type'], /^text\/css/)
    t.match(style.body, /color-scheme: light dark/)
  },
)

t.test('below an issuer with a path the first page and its links stand there', async (t) => {
  const app = await start('https://issuer.example/auth')
  for (const url of ['/auth', '/auth/']) {
    const answer = await app.inject({ url, headers: { accept: 'application/json' } })
    t.match(answer.json(), {
      documentation: '/auth/docs',
      metadata: '/.well-known/oauth-authorization-server/auth',
      keys: '/auth/.well-known/jwks.json',
      health: '/health/ready',
    })
  }
  t.match((await app.inject('/auth/')).body, /href="\/auth\/home\.css"/)
  t.equal((await app.inject('/auth/home.css')).statusCode, 200)
})
