import { isUuid } from '../accounts/user.ts'
import type { Clients } from '../clients/client-directory.ts'
import { OAuthError } from '../oauth/error.ts'
import { Problem } from '../oauth/problem.ts'
import { sha256 } from '../secrets/digest.ts'
import type { Answers } from './answers.ts'
import { deniedEvent } from './events.ts'
import type { Interactions } from './interactions.ts'
import type { AuthorizationRequestStore } from './request-store.ts'

type Parts = {
  readonly clients: Pick<Clients, 'find'>
  readonly store: AuthorizationRequestStore
  readonly answers: Answers
}

/** What the pages may do with the requests that wait. */
export const createInteractions = ({ clients, store, answers }: Parts): Interactions => {
  const find: Interactions['find'] = async (id, browser) => {
    const found = isUuid(id) && (await store.find({ id, browserDigest: sha256(browser) }))
    const client = found ? await clients.find(found.request.clientId) : undefined
    return found && client && client.disabledAt === null ? { ...found, client } : undefined
  }

  return {
    find,
    async choose(id, browser, sessionId) {
      if (isUuid(id)) await store.choose({ id, browserDigest: sha256(browser) }, sessionId)
    },
    async deny(id, browser, origin = {}) {
      const found = await find(id, browser)
      if (found === undefined) return undefined
      const { request, client } = found
      const denied = deniedEvent(client.id, 'access_denied', origin)
      const pending = { id, browserDigest: sha256(browser) }
      if (!(await store.close(pending, [denied]))) return undefined
      const error = new OAuthError('access_denied', 'The user does not want it')
      return answers.makeError(request, client, error)
    },
  }
}

/** For a page: the request was answered, has expired, or is of another browser. */
export const requestGone = (): Problem => new Problem('interaction_expired')
