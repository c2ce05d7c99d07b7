import { Type } from 'typebox'
import { isUuid, type User } from '../accounts/user.ts'
import type { Origin, RecordedEvent } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { BearerAssertion, BearerAssertions } from '../clients/bearer-assertion.ts'
import { type Client, isConfidential } from '../clients/client.ts'
import type { Clock } from '../clock.ts'
import { invalidGrant, OAuthError } from '../oauth/error.ts'
import { isOwnScope } from '../oauth/own-scope.ts'
import { isSubset, type Scope } from '../oauth/scope.ts'
import { sha256 } from '../secrets/digest.ts'
import type { OneTimeIds } from '../secrets/one-time-ids.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import { audienceOf } from './client-audience.ts'
import type { Grant, GrantRequest } from './grant.ts'

type Dependencies = {
  /** In step with the database. */
  readonly clock: Clock
  readonly defaultAudience: string
  readonly issuer: Pick<TokenIssuer, 'requireOneAlgorithm'>
  readonly assertions: BearerAssertions
  readonly oneTimeIds: OneTimeIds
  readonly findUser: (id: string) => Promise<Pick<User, 'status'> | undefined>
  readonly auditWriter: Pick<AuditWriter, 'write' | 'recordOncePerMinute'>
}

/**
 * Somebody whom we believe speaks for a subject (RFC 7523 §2.1). The client must be one that may
 * present what this issuer asserts; what it gets is within the issuer's part and its own. There is no
 * refresh token: the assertion can be made anew.
 */
export const createJwtBearerGrant = (deps: Dependencies): Grant => ({
  grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  parameters: Type.Object({
    assertion: Type.String({ description: 'For JWT bearer: what somebody else asserts' }),
  }),
  async authorize(request, client) {
    if (!isConfidential(client)) {
      throw new OAuthError('unauthorized_client', 'A public client cannot present assertions')
    }
    const read = await deps.assertions.read(request.parameters.assertion ?? '', client.id)
    if ('fault' in read) throw refuse(deps, client, request.origin, read.fault)
    const subject = await subjectOf(deps, read, client)
    if (subject === undefined) throw refuse(deps, client, request.origin, 'unknown_subject')
    const audience = targetOf(deps, request, read, client)
    deps.issuer.requireOneAlgorithm({ clientId: client.id, audience })
    const scope = scopeOf(request.scope, read, client)
    await useOnce(deps, read, client, request.origin)
    await deps.auditWriter.write(acceptedEvent(read, subject, client, request.origin))
    return {
      authorization: { clientId: client.id, subject, scope, audience, issuedAt: deps.clock() },
    }
  },
})

/** @returns undefined for a user that is not there, or may not act. */
const subjectOf = async (
  { findUser }: Dependencies,
  { from, subject }: BearerAssertion,
  { settings }: Client,
): Promise<string | undefined> => {
  // Never a name of ours, whatever the issuer says.
  if (from.subject === 'external') {
    return `ext_${sha256(JSON.stringify([from.issuer, subject])).toString('base64url')}`
  }
  // Such a client must not learn the name that others know the user by.
  if (settings.subjectType === 'pairwise' || !isUuid(subject)) return undefined
  return (await findUser(subject))?.status === 'active' ? subject : undefined
}

const targetOf = (
  { defaultAudience }: Dependencies,
  { audience: requested }: GrantRequest,
  { from }: BearerAssertion,
  client: Client,
): readonly string[] => {
  const most = audienceOf(client, defaultAudience).filter((name) => from.audience.includes(name))
  const audience = requested ?? most
  if (audience.length === 0 || !isSubset(audience, most)) {
    throw new OAuthError('invalid_target', 'The resource is beyond what the issuer may give')
  }
  return audience
}

// What opens our own API, and what is about a sign-in, is not for others to give.
const isWithheld = (token: string): boolean =>
  isOwnScope(token) || token === 'openid' || token === 'offline_access'

const scopeOf = (
  requested: Scope | undefined,
  { from }: BearerAssertion,
  client: Client,
): Scope => {
  const most = client.scope.filter((token) => from.scope.includes(token) && !isWithheld(token))
  const scope = requested ?? most
  if (!isSubset(scope, most)) {
    throw new OAuthError('invalid_scope', 'The scope is beyond what the issuer may give')
  }
  return scope
}

/** Last of all, so that strangers cannot fill the memory of what was used. */
const useOnce = async (
  deps: Dependencies,
  { from, tokenId, issuedAt, expiresAt }: BearerAssertion,
  client: Client,
  origin: Origin,
): Promise<void> => {
  const id = JSON.stringify([from.issuer, tokenId])
  if (await deps.oneTimeIds.use('assertion', id, issuedAt, expiresAt)) return
  throw refuse(deps, client, origin, 'replayed')
}

/** Why is for the log and the audit log alone. */
const refuse = (
  { auditWriter }: Dependencies,
  { id: clientId }: Client,
  origin: Origin,
  reason: string,
): OAuthError => {
  auditWriter.recordOncePerMinute(`assertion.refused ${clientId} ${reason}`, {
    type: 'assertion.refused',
    outcome: 'failure',
    actor: clientId,
    ...{ clientId, origin, details: { reason } },
  })
  return invalidGrant('The assertion is not valid', undefined, reason)
}

const acceptedEvent = (
  { from, tokenId }: BearerAssertion,
  subject: string,
  { id: clientId }: Client,
  origin: Origin,
): RecordedEvent => ({
  type: 'assertion.accepted',
  outcome: 'success',
  actor: clientId,
  ...{ subject, clientId, origin },
  details: { issuer: from.issuer, jti: tokenId },
})
