import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { createKeyRing } from '../../src/keys/key-ring.ts'
import { createMacKeyRing } from '../../src/keys/mac-key-ring.ts'
import { createKeyAdministration } from '../../src/keys/rotation.ts'
import { defaultKeyTiming } from '../../src/keys/rotation-policy.ts'
import { createSealer } from '../../src/secrets/sealer.ts'
import { createKeyEmergencyStore } from '../../src/stores/postgres/key-emergencies.ts'
import { createMacKeyStore } from '../../src/stores/postgres/mac-keys.ts'
import { createSealedClientSecretStore } from '../../src/stores/postgres/sealed-client-secrets.ts'
import { createSigningKeyStore } from '../../src/stores/postgres/signing-keys.ts'
import { createSubjectKeyStore } from '../../src/stores/postgres/subject-key.ts'
import type { SqlBackend } from '../support/sql-backends.ts'

export const day = 86_400
export const longestTokenLifetimeSeconds = 3600
export const refreshTokenTtlSeconds = 30 * day
/** Between the storing of a change and the moment at which all nodes change over. */
export const lead = 60
export const byCommand = { actor: 'cli', origin: {} }

/** One process of the service, as far as keys go; several may share a database. */
export const openNode = (
  t: Test,
  backend: Pick<SqlBackend, 'db' | 'now'>,
  keyEncryptionKeys: readonly Buffer[] = [randomBytes(32)],
  {
    clock = () => new Date(),
    reloadIntervalMs = 3_600_000,
    rsaModulusBits = 2048,
    rotationSeconds = 0,
  } = {},
) => {
  const errors: unknown[] = []
  const logger = { error: (details: object, message: string) => errors.push([message, details]) }
  const sealer = createSealer(keyEncryptionKeys)
  const signingKeys = createSigningKeyStore(backend)
  const macKeys = createMacKeyStore(backend)
  const common = { sealer, clock, logger, reloadIntervalMs }
  const schedule = { rotationSeconds, timing: defaultKeyTiming }
  const revoked = new Set<string>()
  const ring = createKeyRing({
    ...{ ...common, store: signingKeys, rsaModulusBits, schedule },
    isRevoked: (keyId) => revoked.has(keyId),
  })
  const macRing = createMacKeyRing({ ...common, store: macKeys })
  t.teardown(() => {
    ring.close()
    macRing.close()
  })
  const administration = createKeyAdministration({
    signingKeys,
    macKeys,
    subjectKeys: createSubjectKeyStore(backend),
    clientSecrets: createSealedClientSecretStore(backend),
    emergencies: createKeyEmergencyStore(backend, () => 3600),
    sealer,
    rsaModulusBits,
    refreshTokenTtlSeconds,
    schedule,
    longestTokenLifetimeSeconds: async () => longestTokenLifetimeSeconds,
  })
  return { ring, macRing, administration, signingKeys, macKeys, sealer, errors, revoked }
}

export type Node = ReturnType<typeof openNode>

/** The published keys, parsed. */
export const publishedKeys = ({ ring }: Pick<Node, 'ring'>): Record<string, unknown>[] =>
  JSON.parse(ring.jwks().body).keys

/** Empties what a rule of a contract left, so that the next one may use the same database. */
export const clearKeys = async ({ db }: Pick<SqlBackend, 'db'>): Promise<void> => {
  for (const table of ['signing_keys', 'mac_keys', 'revocations', 'audit_events'] as const) {
    await db.deleteFrom(table).execute()
  }
}
