import type { Act } from '../audit/act.ts'
import type { RecordedEvent } from '../audit/event.ts'
import { Problem } from '../oauth/problem.ts'
import { type AuthenticationMethod, authenticationMethods, type Client } from './client.ts'
import {
  applyChange,
  type ClientChange,
  changedMembers,
  registeredMembers,
} from './client-change.ts'
import { type ClientRegistration, register } from './client-registration.ts'
import type { ChangeOutcome, ClientStore } from './client-store.ts'
import { createSecretFor, type NewSecret } from './new-secret.ts'
import type { SealedSecrets } from './sealed-secrets.ts'

/** A client with a secret that is shown this once; public clients have none. */
export type ClientWithSecret = { readonly client: Client; readonly secret?: string }

/**
 * What an operator may do with clients. Every act is audited with who did it.
 * @throws {Problem} validation, with all faults at once; not_found; conflict.
 */
export type ClientAdministration = {
  create(registration: ClientRegistration, act: Act): Promise<ClientWithSecret>
  /** Oldest first, the built-in one too. */
  list(): Promise<Client[]>
  show(id: string): Promise<Client>
  /** What is granted already stays so until it expires. Idempotent. */
  update(id: string, change: ClientChange, act: Act): Promise<Client>
  /** Its families end, its tokens are refused from now on. Idempotent. */
  disable(id: string, act: Act): Promise<Client>
  /** Its access tokens that have not expired are good again; its families stay ended. Idempotent. */
  enable(id: string, act: Act): Promise<Client>
  /** @param overlapSeconds how long earlier secrets are still good; default one day, 0: no longer. */
  rotateSecret(id: string, act: Act, overlapSeconds?: number): Promise<ClientWithSecret>
}

type ClientAdministrationOptions = {
  readonly store: ClientStore
  readonly secrets: Pick<SealedSecrets, 'seal'>
  /** Ways of authentication that the configuration allows; default: all. */
  readonly methods?: readonly AuthenticationMethod[]
  /** After the commit, before the answer: this node and the others learn that a client changed. */
  readonly announce: (clientId: string) => Promise<void>
}

const defaultOverlapSeconds = 24 * 60 * 60
const longestOverlapSeconds = 30 * defaultOverlapSeconds

export const createClientAdministration = ({
  store,
  secrets,
  methods = authenticationMethods,
  announce,
}: ClientAdministrationOptions): ClientAdministration => {
  const show = async (id: string): Promise<Client> => (await store.find(id)) ?? notFound(id)

  const change = async (id: string, act: (id: string) => Promise<ChangeOutcome>) => {
    const outcome = await act(id)
    if (outcome === 'unknown') return notFound(id)
    if (outcome === 'built_in') throw builtIn()
    // Also when nothing changed: an earlier attempt may have committed and then lost its answer.
    await announce(id)
    return show(id)
  }

  return {
    async create(registration, act) {
      const registered = register(registration)
      if ('faults' in registered) throw new Problem('validation', { fields: registered.faults })
      const { client } = registered
      refuseMethod(client, methods)
      const created = createSecretFor(client, secrets)
      const event = describe('client.created', client.id, act, registeredMembers(client))
      const outcome = await store.create(
        { ...client, registeredBy: 'operator', builtIn: false, ...storedOf(created) },
        event,
      )
      if (outcome === 'taken') {
        throw new Problem('conflict', { detail: `A client with the id ${client.id} exists` })
      }
      await announce(client.id)
      return withSecret(await show(client.id), created?.secret)
    },
    list: () => store.list(),
    show,
    update: (id, wanted, act) =>
      change(id, () =>
        store.update(id, (present) => {
          const applied = applyChange(present, wanted)
          if ('faults' in applied) throw new Problem('validation', { fields: applied.faults })
          const changed = changedMembers(present, applied.client)
          if (changed.length === 0) return undefined
          const event = describe('client.updated', id, act, { changed })
          return { client: applied.client, event }
        }),
      ),
    disable: (id, act) => change(id, () => store.disable(id, describe('client.disabled', id, act))),
    enable: (id, act) => change(id, () => store.enable(id, describe('client.enabled', id, act))),
    async rotateSecret(id, act, overlapSeconds = defaultOverlapSeconds) {
      checkOverlap(overlapSeconds)
      const present = await show(id)
      if (present.builtIn) throw builtIn()
      const created = createSecretFor(present, secrets)
      if (created === undefined) throw withoutSecret(id)
      const { digest, sealed } = created
      const event = describe('client.secret_rotated', id, act, { overlap_seconds: overlapSeconds })
      const outcome = await store.rotateSecret(id, digest, overlapSeconds, event, sealed)
      if (outcome === 'unknown') return notFound(id)
      if (outcome === 'built_in') throw builtIn()
      if (outcome === 'public') throw withoutSecret(id)
      await announce(id)
      return withSecret(await show(id), created.secret)
    },
  }
}

const refuseMethod = (
  { authenticationMethod }: Pick<Client, 'authenticationMethod'>,
  methods: readonly AuthenticationMethod[],
): void => {
  if (methods.includes(authenticationMethod)) return
  const message = `must be one of ${methods.join(', ')}: the configuration allows no others`
  throw new Problem('validation', { fields: [{ field: 'token_endpoint_auth_method', message }] })
}

const storedOf = (created: NewSecret | undefined) => ({
  secretDigest: created?.digest ?? null,
  ...(created?.sealed === undefined ? {} : { sealedSecret: created.sealed }),
})

const withoutSecret = (id: string): Problem =>
  new Problem('conflict', { detail: `The client ${id} has no secret` })

const withSecret = (client: Client, secret: string | undefined): ClientWithSecret =>
  secret === undefined ? { client } : { client, secret }

const notFound = (id: string): never => {
  throw new Problem('not_found', { detail: `There is no client with the id ${id}` })
}

const builtIn = (): Problem =>
  new Problem('conflict', { detail: 'The built-in client cannot be changed' })

const checkOverlap = (seconds: number): void => {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= longestOverlapSeconds) return
  const message = `must be a whole number from 0 to ${longestOverlapSeconds}`
  throw new Problem('validation', { fields: [{ field: 'overlap_seconds', message }] })
}

const describe = (
  type: RecordedEvent['type'],
  clientId: string,
  { actor, origin }: Act,
  details: RecordedEvent['details'] = {},
): RecordedEvent => ({ type, outcome: 'success', actor, clientId, details, origin })
