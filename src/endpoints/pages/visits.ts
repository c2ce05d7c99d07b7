import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Interaction } from '../../authorize/interactions.ts'
import { Problem } from '../../oauth/problem.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import { pagesOf, type SendOptions } from '../../plugins/pages.ts'
import type { PageDeps } from './page-deps.ts'

/** A page that was opened: for a client's request, for a device's code, or by itself. */
export type Visit = {
  readonly interaction: Interaction | undefined
  /** Name of the client, if one asks. */
  readonly client: string | undefined
  /** Address of a page below the base path, for the same purpose. */
  address(page: string): string
  /** What has to be done here is done: on to what it was for. */
  goOn(): FastifyReply
  /** How pages of this visit are sent: their forms may lead back to the client. */
  readonly sending: SendOptions
  /** This session is to answer the request. */
  choose(sessionId: string): Promise<void>
}

export type Visits = {
  /** @throws {Problem} `interaction_expired` for a request that waits no more, or not here */
  open(request: VisitRequest, reply: FastifyReply): Promise<Visit>
}

type VisitRequest = FastifyRequest<{ Querystring: { request?: string; user_code?: string } }>

export const createVisits = (
  app: FastifyInstance,
  { interactions }: Pick<PageDeps, 'interactions'>,
): Visits => {
  const browsers = browsersOf(app)
  const { basePath } = pagesOf(app)

  const find = async (id: string, browser: string | undefined): Promise<Interaction> => {
    const found = browser === undefined ? undefined : await interactions.find(id, browser)
    if (found === undefined) throw new Problem('interaction_expired')
    return found
  }

  return {
    async open(request, reply) {
      const { request: id, user_code: userCode } = request.query
      const browser = browsers.knownSecretOf(request)
      const interaction = id === undefined ? undefined : await find(id, browser)
      const query = queryOf(interaction, userCode)
      const target = targetOf(interaction, userCode)
      return {
        interaction,
        client: interaction?.client.name,
        address: (page) => `${basePath}${page}${query}`,
        goOn: () => reply.redirect(`${basePath}${target}${query}`, 303),
        sending:
          interaction === undefined
            ? {}
            : {
                uiLocales: interaction.request.uiLocales,
                formTarget: interaction.request.redirectUri,
              },
        async choose(sessionId) {
          if (interaction === undefined || browser === undefined) return
          await interactions.choose(interaction.id, browser, sessionId)
        },
      }
    },
  }
}

const queryOf = (interaction: Interaction | undefined, userCode: string | undefined): string => {
  if (interaction !== undefined) return `?request=${interaction.id}`
  return userCode === undefined ? '' : `?user_code=${encodeURIComponent(userCode)}`
}

const targetOf = (interaction: Interaction | undefined, userCode: string | undefined): string => {
  if (interaction !== undefined) return '/authorize/resume'
  return userCode === undefined ? '/account' : '/device'
}
