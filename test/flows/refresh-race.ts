import type { Test } from 'tap'
import { type Answer, isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import type { TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

/** What a race needs of a node, in this process or in one of its own. */
export type RacingNode = {
  refresh(refreshToken: string): Promise<Answer>
  /** Whether the node's own endpoints accept the access token. */
  isAccepted(accessToken: string): Promise<boolean>
}

/** A node in this process. */
export const racing = (service: TestService): RacingNode => ({
  refresh: (token) => refresh(service, token),
  isAccepted: (token) => isAccepted(service, token),
})

export type RacingNodes = readonly [RacingNode, RacingNode]

type Tokens = { readonly access_token: string; readonly refresh_token: string }

/** Refreshes again and again until the family refuses; every access token it got. */
const refreshUntilRefused = async (node: RacingNode, person: Tokens): Promise<string[]> => {
  const accessTokens = [person.access_token]
  let token = person.refresh_token
  for (;;) {
    const answer = await node.refresh(token)
    if (answer.status !== 200) return accessTokens
    accessTokens.push(answer.body.access_token as string)
    token = tokenOf(answer)
  }
}

/**
 * While people refresh at the second node an act at the first ends their families.
 * @param end the act, settled when the first node has answered
 */
export const raceEnding = async <Person extends Tokens>(
  t: Test,
  [first, second]: RacingNodes,
  people: readonly Person[],
  end: (person: Person) => Promise<unknown>,
): Promise<void> => {
  const outcomes = await Promise.all(
    people.map(async (person) => {
      const refreshing = refreshUntilRefused(second, person)
      await end(person)
      const tokens = await refreshing
      const here = await Promise.all(tokens.map((token) => first.isAccepted(token)))
      await waitUntil(
        'the other node to know',
        async () => {
          const there = await Promise.all(tokens.map((token) => second.isAccepted(token)))
          return !there.includes(true)
        },
        { timeoutMs: 1000 },
      )
      return { here, again: await second.refresh(person.refresh_token) }
    }),
  )
  for (const { here, again } of outcomes) {
    t.notOk(here.includes(true), 'the node that answered accepts nothing')
    t.equal(again.status, 401)
  }
}

/** Each token is used five times at once, on both nodes in turn: one rotation each, no error. */
export const raceFamilies = async (
  t: Test,
  nodes: RacingNodes,
  refreshTokens: readonly string[],
): Promise<void> => {
  const answers = await Promise.all(
    refreshTokens.flatMap((token) =>
      Array.from({ length: 5 }, (_, index) => nodes[index % 2 === 0 ? 0 : 1].refresh(token)),
    ),
  )
  t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(new Set(answers.map(tokenOf)).size, refreshTokens.length)
}

/** What a race waits for: its question is who gets in whose way, not how busy the machine is. */
export const patience = {
  DATABASE_CONNECT_TIMEOUT_MS: '30000',
  DATABASE_LOCK_TIMEOUT_MS: '30000',
  DATABASE_STATEMENT_TIMEOUT_MS: '30000',
} as const
