import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { buildApp } from '../app.ts'
import { loadConfig } from '../config.ts'
import { createDeps } from '../deps.ts'
import { openInMemory } from '../stores/postgres/embedded.ts'

/**
 * The description of the API in OpenAPI, as YAML: what the routes of the real service say of
 * themselves. The service runs for a moment, on a database in memory.
 */
export const describeApi = async (): Promise<string> => {
  const variables = {
    KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    RSA_MODULUS_BITS: '2048',
  }
  const config = loadConfig(variables, () => '')
  const embedded = await openInMemory()
  const deps = await createDeps(config, pino({ level: 'silent' }), { embedded })
  const app = await buildApp(deps)
  try {
    return app.swagger({ yaml: true })
  } finally {
    await app.close()
    await deps.close()
  }
}
