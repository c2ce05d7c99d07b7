import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ownAuditLog } from './audit-log.ts'
import type { AuthDeps } from './auth-deps.ts'
import { consents } from './consents.ts'
import { csrf } from './csrf.ts'
import { login } from './login.ts'
import { loginForm } from './login-form.ts'
import { logout } from './logout.ts'
import { me } from './me.ts'
import { password } from './password.ts'
import { refresh } from './refresh.ts'
import { register } from './register.ts'
import { sessions } from './sessions.ts'
import { signedInSchema, tokensSchema } from './tokens-schema.ts'
import { userSchema } from './user-schema.ts'
import { verify } from './verify.ts'

const endpoints = [
  ...[register, login, loginForm, refresh, logout, me, password, sessions, verify],
  ...[csrf, consents, ownAuditLog],
]

/** The first-party JSON API. Its answers hold tokens or personal data: nobody may keep them. */
export const authEndpoints: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  for (const schema of [userSchema, tokensSchema, signedInSchema]) app.addSchema(schema)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })
  for (const endpoint of endpoints) await app.register(endpoint, deps)
}
