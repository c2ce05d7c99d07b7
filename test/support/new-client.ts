import { randomUUID } from 'node:crypto'
import type { Client } from '../../src/clients/client.ts'
import { defaultClientSettings } from '../../src/clients/client-settings.ts'
import type { NewClient } from '../../src/clients/client-store.ts'

const plain = {
  name: 'Reports',
  authenticationMethod: 'client_secret_basic',
  grantTypes: ['client_credentials'],
  scope: ['reports:read'],
  audience: ['https://reports.example'],
  resourceServer: [],
  redirectUris: [],
  corsOrigins: [],
  refreshGraceSeconds: null,
  refreshRetryElsewhere: 'allow',
  refreshTokenRotation: 'rotate',
  settings: defaultClientSettings,
  registeredBy: 'operator',
  builtIn: false,
} as const

const newId = (): string => `svc_${randomUUID().slice(0, 8)}`

/** A valid client for a store; a test names only what matters to it. */
export const makeNewClient = (special: Partial<NewClient> = {}): NewClient => ({
  ...plain,
  id: newId(),
  secretDigest: null,
  ...special,
})

/** A valid client as the directory gives it. */
export const makeClient = (special: Partial<Client> = {}): Client => ({
  ...plain,
  id: newId(),
  disabledAt: null,
  createdAt: new Date(0),
  secretDigests: [],
  ...special,
})
