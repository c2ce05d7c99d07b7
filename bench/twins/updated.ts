/**
 * Fastify, the service's own UPDATE, prepared as the service has it, on a table with as many rows,
 * through a pool of the same size, and one signature: what a refresh cannot do without.
 *
 *   updated.ts <algorithm> <bits of RSA keys> <database URL> <connections>
 */
import pg from 'pg'
import type { SigningAlgorithm } from '../../src/oauth/algorithm.ts'
import type { Rotation } from '../../src/tokens/family-store.ts'
import { createFormServer, listen, type Respond } from './form-server.ts'
import { captureRotationStatement } from './rotation-statement.ts'
import { createSignature } from './signature.ts'

type Family = { readonly clientId: string; generation: number; digest: Buffer }

const refreshTokenLength = 96
const sameForAll = {
  confirmation: null,
  scope: undefined,
  audience: undefined,
  salt: Buffer.alloc(16, 1),
  from: Buffer.alloc(16, 2),
}

const [algorithm, rsaModulusBits, databaseUrl, connections] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: databaseUrl, max: Number(connections) })
const statement = await captureRotationStatement()
const sign = await createSignature(algorithm as SigningAlgorithm, Number(rsaModulusBits))
const families = await readFamilies()

await listen(await createFormServer(respond))

async function readFamilies(): Promise<Map<string, Family>> {
  const { rows } = await pool.query<Family & { id: string }>(
    'SELECT id, client_id AS "clientId", generation::int, digest FROM refresh_families',
  )
  return new Map(rows.map(({ id, ...family }) => [id, family]))
}

// Names its family in plain text: the twin has no tokens to make and none to check.
async function respond(form: Parameters<Respond>[0]): ReturnType<Respond> {
  const id = form.refresh_token?.slice(0, 36) ?? ''
  const family = families.get(id)
  if (family === undefined) throw new Error(`no family ${id}`)
  const successorDigest = Buffer.alloc(32)
  successorDigest.writeUInt32BE(family.generation + 1)
  await update({ ...family, ...sameForAll, familyId: id, successorDigest })
  family.generation += 1
  family.digest = successorDigest
  return { signature: await sign(), refreshToken: id.padEnd(refreshTokenLength, '.') }
}

async function update(rotation: Rotation): Promise<void> {
  const { text } = statement
  const { rowCount } = await pool.query({
    name: 'rotate',
    text,
    values: statement.values(rotation),
  })
  if (rowCount !== 1) throw new Error(`family ${rotation.familyId} was not updated`)
}
