import { test } from 'tap'
import { startAsserting } from '../endpoints/oauth/assertions.ts'
import { startNodes } from '../support/nodes.ts'

test('an assertion gives a token once in fifty requests at once, on two nodes', async (t) => {
  const nodes = await startNodes(t)
  const { assert, present } = await startAsserting(nodes[0])
  const assertion = await assert()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      present(assertion, {}, (nodes[index % 2] ?? nodes[0]).app),
    ),
  )
  const outcomes = answers.map((answer) => answer.json().error ?? answer.statusCode)
  t.equal(outcomes.filter((outcome) => outcome === 200).length, 1)
  t.equal(outcomes.filter((outcome) => outcome === 'invalid_grant').length, 49)
})
