import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Deps } from '../../deps.ts'
import { authorize } from './authorize.ts'
import { clientRegistration } from './client-registration.ts'
import { deviceAuthorization } from './device-authorization.ts'
import { endSession } from './end-session.ts'
import { introspect } from './introspect.ts'
import { par } from './par.ts'
import { revoke } from './revoke.ts'
import { token } from './token.ts'
import { userinfo } from './userinfo.ts'

/** The OAuth endpoints. Their errors are the schema `OAuthError`, which the application registers. */
export const oauthEndpoints: FastifyPluginAsyncTypebox<Deps> = async (app, deps) => {
  app.register(authorize, deps)
  app.register(par, deps)
  app.register(token, deps)
  app.register(deviceAuthorization, deps)
  app.register(revoke, deps)
  app.register(introspect, deps)
  app.register(userinfo, deps)
  app.register(endSession, deps)
  app.register(clientRegistration, deps)
}
