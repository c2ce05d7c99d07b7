import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { registerFormBody } from '../../plugins/form-body.ts'
import { account } from './account.ts'
import { accounts } from './accounts.ts'
import { assets } from './assets.ts'
import { consent } from './consent.ts'
import { device } from './device.ts'
import type { PageDeps } from './page-deps.ts'
import { password } from './password.ts'
import { register } from './register.ts'
import { signIn } from './sign-in.ts'
import { signedOut } from './signed-out.ts'

const pages = [signIn, register, password, accounts, consent, device, account, signedOut]

/** The pages that people see, below the issuer's base path. */
export const pageEndpoints: FastifyPluginAsyncTypebox<PageDeps> = async (app, deps) => {
  await app.register(assets)
  registerFormBody(app)
  for (const page of pages) await app.register(page, deps)
}
