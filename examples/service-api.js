/**
 * An API that verifies access tokens by itself, with the published keys: no call to Tessera for a
 * request, and no secret.
 *
 *   node examples/service-api.js
 */
import { createServer } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const issuer = process.env.ISSUER ?? 'http://localhost:4000'
const apiUrl = new URL(process.env.API_URL ?? 'http://localhost:5000')
const audience = 'https://api.example'
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))

/** Who calls, or undefined: no token that is good here. */
const callerOf = async (request) => {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) return undefined
  try {
    // The type keeps ID tokens out, the audience tokens that are meant for others.
    return (await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' })).payload
  } catch (error) {
    if (error.code?.startsWith('ERR_J')) return undefined
    throw error
  }
}

const answer = (response, status, body, headers = {}) =>
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...headers,
    })
    .end(JSON.stringify(body))

const handle = async (request, response) => {
  const caller = await callerOf(request)
  if (caller === undefined) {
    return answer(response, 401, {}, { 'www-authenticate': 'Bearer error="invalid_token"' })
  }
  if (!`${caller.scope}`.split(' ').includes('reports:read')) {
    const challenge = 'Bearer error="insufficient_scope", scope="reports:read"'
    return answer(response, 403, {}, { 'www-authenticate': challenge })
  }
  answer(response, 200, { reports: ['Q1', 'Q2'], caller: caller.client_id })
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => answer(response, 503, {}, { 'retry-after': '1' }))
})
server.listen(Number(apiUrl.port), apiUrl.hostname, () =>
  console.log(`The API is at ${apiUrl.origin}`),
)
