import type { BrowserSession } from '../../accounts/browser-session.ts'
import { type Language, sayDate } from '../../views/messages.ts'
import type { PersonLine } from '../../views/page-data.ts'
import type { PageDeps } from './page-deps.ts'

/** What the page of the own account shows of one who is signed in. */
export const personLine = async (
  { accounts, clients }: Pick<PageDeps, 'accounts' | 'clients'>,
  { id: session, userId, email }: BrowserSession,
  language: Language,
): Promise<PersonLine> => {
  const self = { userId, sessionId: session }
  const sessions = await accounts.ownSessions.list(self)
  const consents = await accounts.ownConsents.list(userId)
  return {
    session,
    email,
    sessions: sessions.map(({ id, userAgent, address, createdAt }) => ({
      id,
      device: deviceOf(userAgent),
      address,
      since: sayDate(language, createdAt),
      current: id === session,
    })),
    consents: await Promise.all(
      consents.map(async ({ clientId, grantedAt }) => ({
        clientId,
        client: (await clients.find(clientId))?.name ?? null,
        since: sayDate(language, grantedAt),
      })),
    ),
  }
}

/** What a browser says of itself, and how it is called; the first that fits is the one. */
const browserNames = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const

const deviceOf = (userAgent: string | null): string | null => {
  if (userAgent === null) return null
  const browser = browserNames.find(([product]) => userAgent.includes(product))
  const system = /\(([^;)]+)/.exec(userAgent)?.[1]
  if (browser === undefined || system === undefined) return userAgent.slice(0, 80)
  return `${browser[1]}, ${system}`
}
