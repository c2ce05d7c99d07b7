import { sql } from 'kysely'
import { test } from 'tap'
import {
  type App,
  createApp,
  createBrowser,
  goodRequest,
  openBrowser,
  redeem,
  sentTo,
  signIn,
  takeCode,
  toQuery,
} from '../endpoints/oauth/authorization.ts'
import { postForm } from '../endpoints/oauth/requests.ts'
import { isAccepted, startNodes } from '../support/nodes.ts'
import { connect, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

type Nodes = readonly [TestService, TestService]

/** Fifty at once, by turns at one node and at the other. */
const fiftyTimes = <T>(nodes: Nodes, act: (node: TestService) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 50 }, (_, index) => act(nodes[index % 2 === 0 ? 0 : 1])))

const countOf = (values: readonly unknown[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1
  return counts
}

test('code: 50 at once on two nodes are one success, of which nothing is left', async (t) => {
  const nodes = await startNodes(t)
  const app = await createApp(nodes[0])
  const { browser } = await openBrowser(nodes[0])
  const code = await takeCode(browser, app)
  const answers = await fiftyTimes(nodes, ({ app: node }) => redeem(node, app, code))

  t.same(countOf(answers.map(({ statusCode }) => statusCode)), { 200: 1, 400: 49 })
  t.same(
    countOf(answers.map((answer) => answer.json().code)),
    { undefined: 1, reused: 49 },
    'all others are told that it was used',
  )
  // The others had all proofs: nobody knows which of them is the thief (OAuth 2.1 §4.1.3).
  const token = answers.find(({ statusCode }) => statusCode === 200)?.json().access_token
  for (const node of nodes) {
    await waitUntil('the end of the token', async () => !(await isAccepted(node, token)))
  }
  const db = await connect(t, nodes[0])
  const { rows } = await sql`SELECT FROM audit_events WHERE type = 'code.reused'`.execute(db)
  t.equal(rows.length, 1, 'it is told of once')
})

test('code: 49 thieves without the verifier do not keep its owner from it', async (t) => {
  const nodes = await startNodes(t)
  const app = await createApp(nodes[0], { authenticationMethod: 'none' })
  const { browser } = await openBrowser(nodes[0])
  const code = await takeCode(browser, app)
  let turn = 0
  const answers = await fiftyTimes(nodes, ({ app: node }) => {
    turn += 1
    return redeem(node, app, code, turn === 25 ? {} : { code_verifier: 'x'.repeat(43) })
  })
  t.same(countOf(answers.map(({ statusCode }) => statusCode)), { 200: 1, 400: 49 })
  const token = answers.find(({ statusCode }) => statusCode === 200)?.json().access_token
  t.equal(await isAccepted(nodes[0], token), true)
})

const waitFor = async (node: TestService, app: App) => {
  const browser = createBrowser(node.app)
  const query = toQuery({ client_id: app.id, ...goodRequest })
  const { request = '' } = sentTo(await browser.get(`/authorize?${query}`)).parameters
  await signIn(node, browser)
  return { browser, request }
}

test('resume: 50 tabs at once on two nodes are one code', async (t) => {
  const nodes = await startNodes(t)
  const app = await createApp(nodes[0])
  const { browser, request } = await waitFor(nodes[0], app)
  const answers = await fiftyTimes(nodes, (node) =>
    browser.get(`/authorize/resume?request=${request}`, node.app),
  )
  t.same(countOf(answers.map(({ statusCode }) => statusCode)), { 303: 1, 410: 49 })
  const db = await connect(t, nodes[0])
  const { rows } = await sql`SELECT FROM authorization_codes`.execute(db)
  t.equal(rows.length, 1)
})

test('deny races resume: one of them answers', async (t) => {
  const nodes = await startNodes(t)
  const app = await createApp(nodes[0])
  const { browser, request } = await waitFor(nodes[0], app)
  const secret = browser.cookies.tessera_browser ?? ''
  let turn = 0
  const answers = await fiftyTimes(nodes, async (node) => {
    turn += 1
    if (turn % 5 === 0) return (await node.deps.interactions.deny(request, secret)) !== undefined
    const answer = await browser.get(`/authorize/resume?request=${request}`, node.app)
    return answer.statusCode === 303
  })
  t.same(countOf(answers), { true: 1, false: 49 })
})

test('request_uri: 50 at once on two nodes are one code', async (t) => {
  const nodes = await startNodes(t)
  const app = await createApp(nodes[0])
  const { browser } = await openBrowser(nodes[0])
  const pushed = await postForm(nodes[0].app, '/par', toQuery(goodRequest), app.headers)
  const query = toQuery({ client_id: app.id, request_uri: pushed.json().request_uri })
  const answers = await fiftyTimes(nodes, (node) => browser.get(`/authorize?${query}`, node.app))

  const codes = answers.flatMap((answer) => sentTo(answer).parameters.code ?? [])
  t.equal(codes.length, 1)
  t.ok(answers.every(({ statusCode }) => [303, 400, 410].includes(statusCode)))
})

test('request_uri: of two browsers one gets it', async (t) => {
  const nodes = await startNodes(t)
  const app = await createApp(nodes[0])
  const browsers = [createBrowser(nodes[0].app), createBrowser(nodes[1].app)] as const
  for (const { get } of browsers) await get('/authorize')
  const pushed = await postForm(nodes[0].app, '/par', toQuery(goodRequest), app.headers)
  const query = toQuery({ client_id: app.id, request_uri: pushed.json().request_uri })
  let turn = 0
  const answers = await fiftyTimes(nodes, async (node) => {
    const owner = turn++ % 4 < 2 ? 0 : 1
    const answer = await browsers[owner].get(`/authorize?${query}`, node.app)
    return { owner, status: answer.statusCode }
  })
  const winners = new Set(answers.flatMap(({ owner, status }) => (status === 303 ? [owner] : [])))
  t.equal(winners.size, 1)
})
