import { Type } from 'typebox'
import type { AssertionIssuer } from '../../clients/assertion-issuer.ts'
import { byCli, defineOperation } from './operation.ts'

const texts = Type.Array(Type.String())

const toJson = (from: AssertionIssuer) => ({
  issuer: from.issuer,
  jwks: from.jwks,
  jwks_uri: from.jwksUri,
  clients: [...from.clients],
  audience: [...from.audience],
  scope: [...from.scope],
  subject: from.subject,
  assertion_audience: from.assertionAudience,
  max_lifetime_seconds: from.maxLifetimeSeconds,
})

export const assertionIssuerOperations = {
  'assertion-issuers.list': defineOperation(
    Type.Object({}),
    async ({ assertionIssuerAdministration }) =>
      (await assertionIssuerAdministration.list()).map(toJson),
  ),
  'assertion-issuers.set': defineOperation(
    Type.Object({
      issuer: Type.String(),
      jwks: Type.Optional(Type.Unknown()),
      jwksUri: Type.Optional(Type.String()),
      clients: texts,
      audience: texts,
      scope: Type.Optional(texts),
      subject: Type.String(),
      assertionAudience: Type.Optional(Type.String()),
      maxLifetimeSeconds: Type.Optional(Type.Number()),
    }),
    async ({ assertionIssuerAdministration }, input) =>
      toJson(await assertionIssuerAdministration.set(input, byCli)),
  ),
  'assertion-issuers.remove': defineOperation(
    Type.Object({ issuer: Type.String() }),
    async ({ assertionIssuerAdministration }, { issuer }) => {
      await assertionIssuerAdministration.remove(issuer, byCli)
      return { removed: issuer }
    },
  ),
}
