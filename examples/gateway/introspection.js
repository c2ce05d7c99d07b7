/** For nginx (njs): asks Tessera about the access token of a request (RFC 7662). */
import crypto from 'crypto'

const audience = 'https://api.example'

function tokenOf(request) {
  const match = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(request.headersIn.Authorization || '')
  return match === null ? undefined : match[1]
}

/** Key of the cache: never the token itself, which would stand on the disk. */
function digest(request) {
  return crypto
    .createHash('sha256')
    .update(tokenOf(request) || '')
    .digest('base64url')
}

function refuse(request) {
  request.headersOut['WWW-Authenticate'] = 'Bearer error="invalid_token"'
  request.return(401)
}

/** 204: the token is good, and for this API; 401: it is not; 503: Tessera cannot say. */
async function authorize(request) {
  const token = tokenOf(request)
  if (token === undefined) return refuse(request)
  const answer = await request.subrequest('/_introspect', {
    method: 'POST',
    body: `token=${encodeURIComponent(token)}&token_type_hint=access_token`,
  })
  if (answer.status !== 200) return request.return(500)
  const state = JSON.parse(answer.responseText)
  const isOurs = [].concat(state.aud || []).includes(audience)
  if (!state.active || !isOurs) return refuse(request)
  request.headersOut['X-Token-Subject'] = state.sub
  request.headersOut['X-Token-Scope'] = state.scope || ''
  request.return(204)
}

export default { authorize, digest }
