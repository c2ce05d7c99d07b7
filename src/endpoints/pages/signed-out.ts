import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { pagesOf } from '../../plugins/pages.ts'
import { type PageDeps, pageConfig } from './page-deps.ts'

/** `GET /signed-out` */
export const signedOut: FastifyPluginAsyncTypebox<PageDeps> = async (app) => {
  const pages = pagesOf(app)
  app.get('/signed-out', { schema: { hide: true }, config: pageConfig }, (request, reply) =>
    pages.send(request, reply, 'signed-out', { signInHref: `${pages.basePath}/sign-in` }),
  )
}
