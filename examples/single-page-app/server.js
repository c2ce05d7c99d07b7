/**
 * Gives the app to the browser: four files, as any web server would.
 *
 *   node examples/single-page-app/server.js
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const issuer = process.env.ISSUER ?? 'http://localhost:4000'
const appUrl = new URL(process.env.APP_URL ?? 'http://localhost:3000')

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url))
const library = fileURLToPath(import.meta.resolve('oauth4webapi'))
const settings = `export const issuer = ${JSON.stringify(issuer)}\nexport const clientId = 'board'\n`

const files = {
  '/': ['text/html; charset=utf-8', () => readFile(fileOf('index.html'))],
  '/app.js': ['text/javascript', () => readFile(fileOf('app.js'))],
  '/oauth4webapi.js': ['text/javascript', () => readFile(library)],
  '/settings.js': ['text/javascript', async () => settings],
}

// Scripts of its own only, and no other servers than Tessera.
const headers = {
  'content-security-policy': `default-src 'none'; script-src 'self'; connect-src ${issuer}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

const server = createServer(async (request, response) => {
  const file = files[new URL(request.url, appUrl).pathname]
  if (file === undefined) return response.writeHead(404, headers).end()
  const [type, read] = file
  response.writeHead(200, { ...headers, 'content-type': type }).end(await read())
})
server.listen(Number(appUrl.port), 'localhost', () => console.log(`Open ${appUrl.origin}`))
