import type { Scope } from '../oauth/scope.ts'
import type { FamilyGrant } from './family-store.ts'

/** The built-in client: its families are for whom the configuration names now. */
export type OwnClient = {
  readonly id: string
  /** @param scope of the family */
  audienceOf(scope: Scope): readonly string[]
}

/**
 * For whom a family's access tokens may be. A family keeps its audience, but for those of people
 * who signed in at our own API: when the service moves, that API moves with it, and tokens for its
 * old name would be refused wherever they are shown.
 */
export const audienceOfFamily = (
  grant: Pick<FamilyGrant, 'clientId' | 'scope' | 'audience'>,
  ownClient: OwnClient,
): readonly string[] =>
  grant.clientId === ownClient.id ? ownClient.audienceOf(grant.scope) : grant.audience
