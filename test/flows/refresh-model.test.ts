import fc from 'fast-check'
import { test } from 'tap'
import type { RefreshResult } from '../../src/tokens/refresher.ts'
import { startNodes } from '../support/nodes.ts'
import { register, type TestService } from '../support/service.ts'

// All steps of time are tens of seconds and all limits end in five, so that the time that a run
// really takes cannot decide anything.
const graceSeconds = 35
const idleSeconds = 605
const ttlSeconds = 2005

/** The family as the design describes it, in a few lines. */
type Model = {
  now: number
  generation: number
  rotatedAt: number
  lastUsedAt: number
  ended: boolean
  /** Generations of which the client holds the token; lost answers leave gaps at the end. */
  known: number[]
}

type Real = {
  readonly nodes: readonly [TestService, TestService]
  /** The token of each generation that the client knows. */
  readonly tokens: Map<number, string>
}

const predict = (model: Model, generation: number): RefreshResult['outcome'] => {
  if (model.ended) return 'revoked'
  if (model.now >= ttlSeconds) return 'expired_absolute'
  if (model.now - model.lastUsedAt >= idleSeconds) return 'expired_idle'
  if (generation === model.generation) return 'rotated'
  const isParent = generation === model.generation - 1
  return isParent && model.now - model.rotatedAt <= graceSeconds ? 'retried' : 'reused'
}

const apply = (model: Model, outcome: RefreshResult['outcome'], answerLost: boolean): void => {
  if (outcome === 'reused') model.ended = true
  if (outcome === 'rotated') {
    model.generation += 1
    model.rotatedAt = model.now
    model.lastUsedAt = model.now
  }
  const hasAnswer = (outcome === 'rotated' || outcome === 'retried') && !answerLost
  if (hasAnswer && !model.known.includes(model.generation)) model.known.push(model.generation)
}

class Refresh implements fc.AsyncCommand<Model, Real> {
  readonly node: 0 | 1
  readonly stepsBack: number
  readonly answerLost: boolean
  constructor(node: 0 | 1, stepsBack: number, answerLost: boolean) {
    this.node = node
    this.stepsBack = stepsBack
    this.answerLost = answerLost
  }
  check = (model: Readonly<Model>): boolean => model.known.length > this.stepsBack
  async run(model: Model, { nodes, tokens }: Real): Promise<void> {
    const generation = model.known.at(-1 - this.stepsBack) ?? 0
    const expected = predict(model, generation)
    const { deps } = nodes[this.node]
    const result = await deps.refresher.refresh({
      refreshToken: tokens.get(generation) ?? '',
      clientId: 'first-party',
      policy: { graceSeconds, retryElsewhere: 'allow', rotation: 'rotate' },
      origin: {},
    })
    equal(result.outcome, expected, `generation ${generation} of ${model.generation}`)
    apply(model, expected, this.answerLost)
    if (!('tokens' in result) || this.answerLost) return
    const successor = result.tokens.refreshToken ?? ''
    equal(tokens.get(model.generation) ?? successor, successor, 'one successor for ever')
    tokens.set(model.generation, successor)
  }
  toString = (): string =>
    `refresh(node ${this.node}, ${this.stepsBack} back${this.answerLost ? ', answer lost' : ''})`
}

class Wait implements fc.AsyncCommand<Model, Real> {
  readonly seconds: number
  constructor(seconds: number) {
    this.seconds = seconds
  }
  check = (): boolean => true
  async run(model: Model, { nodes }: Real): Promise<void> {
    model.now += this.seconds
    for (const node of nodes) node.moveTime(this.seconds)
  }
  toString = (): string => `wait(${this.seconds} s)`
}

class Revoke implements fc.AsyncCommand<Model, Real> {
  readonly node: 0 | 1
  constructor(node: 0 | 1) {
    this.node = node
  }
  check = (): boolean => true
  async run(model: Model, { nodes, tokens }: Real): Promise<void> {
    const { families } = nodes[this.node].deps
    const located = await families.locate(tokens.get(model.known[0] ?? 0) ?? '')
    if (located === undefined) throw new Error('a genuine token was not recognised')
    const revoked = await families.revoke(located.grant, {
      reason: 'test',
      actor: 'test',
      origin: {},
    })
    equal(revoked, !model.ended, 'a family ends once')
    model.ended = true
  }
  toString = (): string => `revoke(node ${this.node})`
}

/** Of all tokens that the client knows, none but the model's current one would be accepted. */
const checkLeaves = async (model: Model, { nodes, tokens }: Real): Promise<void> => {
  const expired = model.now >= ttlSeconds || model.now - model.lastUsedAt >= idleSeconds
  for (const [generation, token] of tokens) {
    const located = await nodes[0].deps.families.locate(token)
    const isLeaf = generation === model.generation && !model.ended && !expired
    equal(located?.usable, isLeaf, `generation ${generation} is the live leaf`)
  }
}

const equal = <T>(actual: T, expected: T, what: string): void => {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`)
}

const anyNode = fc.constantFrom<0 | 1>(0, 1)
const anyCommands = fc.commands(
  [
    fc
      .tuple(anyNode, fc.constantFrom(0, 0, 0, 1, 1, 2), fc.boolean())
      .map(([node, stepsBack, lost]) => new Refresh(node, stepsBack, lost)),
    fc
      .tuple(anyNode, fc.constantFrom(0, 0, 1))
      .map(([node, stepsBack]) => new Refresh(node, stepsBack, false)),
    fc.constantFrom(10, 20, 40, 300, 700).map((seconds) => new Wait(seconds)),
    anyNode.map((node) => new Revoke(node)),
  ],
  { maxCommands: 20 },
)

test('refresh: two nodes behave as the model, whatever is lost, retried, reused, revoked or expires', async (t) => {
  const nodes = await startNodes(t, {
    REFRESH_GRACE_SECONDS: String(graceSeconds),
    REFRESH_IDLE_SECONDS: String(idleSeconds),
    REFRESH_TOKEN_TTL_SECONDS: String(ttlSeconds),
  })
  const setup = async () => {
    const { refresh_token: token } = await register(nodes[0].app)
    return {
      model: { now: 0, generation: 1, rotatedAt: 0, lastUsedAt: 0, ended: false, known: [1] },
      real: { nodes, tokens: new Map([[1, token]]) },
    }
  }
  await fc.assert(
    fc.asyncProperty(anyCommands, async (commands) => {
      const started = await setup()
      await fc.asyncModelRun(async () => started, commands)
      await checkLeaves(started.model, started.real)
    }),
    { numRuns: 150 },
  )
  t.pass('150 random histories')
})
