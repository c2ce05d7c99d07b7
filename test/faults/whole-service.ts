import type { Test } from 'tap'
import { createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { register, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { acts, ask } from './acts.ts'

type Nodes = readonly [TestService, TestService]
type Readiness = { readonly status: string; readonly redis?: string }

export const readiness = async ({ app }: TestService): Promise<Readiness> =>
  (await app.inject('/health/ready')).json()

export const bothSay = (nodes: Nodes, expected: Readiness): Promise<true> =>
  waitUntil(`both nodes to say ${expected.status}`, async () => {
    const said = await Promise.all(nodes.map(readiness))
    return said.every(({ status, redis }) => status === expected.status && redis === expected.redis)
  })

/** Everything that people and machines do, on one node, and what the other must know within a second. */
export const expectService = async (t: Test, [first, second]: Nodes): Promise<void> => {
  const machine = await createMachine(first.deps, { grantTypes: ['client_credentials'] })
  const person = await register(first.app)
  t.equal(await ask(second, acts['sign-in'], person), 200)
  const answer = await refresh(second, person.refresh_token)
  t.equal(tokenOf(await refresh(first, person.refresh_token)), tokenOf(answer), 'a retry')
  const grant = await postForm(
    second.app,
    '/token',
    { grant_type: 'client_credentials' },
    machine.headers,
  )
  t.equal(grant.statusCode, 200)
  t.equal(await isAccepted(second, person.access_token), true)
  t.equal(await ask(first, acts['sign-out'], person), 204)
  t.equal(await isAccepted(first, person.access_token), false)
  await waitUntil(
    'the other node to know',
    async () => !(await isAccepted(second, person.access_token)),
    { timeoutMs: 1000 },
  )
}
