import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { breaches } from './support/import-rules.ts'
import { parseSource } from './support/source-file.ts'

const root = new URL('../', import.meta.url)

t.test('every file keeps to the layout and imports only what its folder may', async (t) => {
  const files = globSync('{src,migrations}/**/*.ts', { cwd: root })
    .sort()
    .map((path) => parseSource(path, readFileSync(new URL(path, root), 'utf8')))
  t.ok(files.length > 50, 'the files were found')
  t.same(breaches(files), [])
})

const refused: Record<string, { path: string; text: string; breach: string }> = {
  'an import upwards': {
    path: 'src/tokens/a.ts',
    text: "import { signIn } from '../accounts/sign-in.ts'",
    breach: 'src/tokens/a.ts: imports src/accounts/sign-in.ts: imports go downwards only',
  },
  'an import upwards of a type': {
    path: 'src/oauth/a.ts',
    text: "import type { KeyRing } from '../keys/key-ring.ts'",
    breach: 'src/oauth/a.ts: imports src/keys/key-ring.ts: imports go downwards only',
  },
  'an import upwards over several lines': {
    path: 'src/keys/a.ts',
    text: "import {\n  type TokenSet,\n  issue,\n} from '../tokens/issuer.ts'",
    breach: 'src/keys/a.ts: imports src/tokens/issuer.ts: imports go downwards only',
  },
  'a dynamic import upwards': {
    path: 'src/keys/a.ts',
    text: "const load = () => import('../tokens/issuer.ts')",
    breach: 'src/keys/a.ts: imports src/tokens/issuer.ts: imports go downwards only',
  },
  'a re-export upwards': {
    path: 'src/grants/a.ts',
    text: "export { form } from '../plugins/form-body.ts'",
    breach: 'src/grants/a.ts: imports src/plugins/form-body.ts: imports go downwards only',
  },
  'a store in a job': {
    path: 'src/jobs/a.ts',
    text: "import type { Rows } from '../stores/postgres/schema.ts'",
    breach: 'src/jobs/a.ts: imports src/stores/postgres/schema.ts: only deps and cli import stores',
  },
  'an endpoint in a store': {
    path: 'src/stores/postgres/a.ts',
    text: "import type { Deps } from '../../deps.ts'",
    breach: 'src/stores/postgres/a.ts: imports src/deps.ts: imports go downwards only',
  },
  'the value of the settings below the top': {
    path: 'src/tokens/a.ts',
    text: "import { readConfig } from '../config.ts'",
    breach: 'src/tokens/a.ts: imports src/config.ts: one of them has no place in the layers',
  },
  'anything but the words of OAuth in the settings': {
    path: 'src/config/a.ts',
    text: "import { createSealer } from '../secrets/sealer.ts'",
    breach:
      'src/config/a.ts: imports src/secrets/sealer.ts: one of them has no place in the layers',
  },
  'a folder that nobody has placed': {
    path: 'src/mail/a.ts',
    text: "import { parseScope } from '../oauth/scope.ts'",
    breach: 'src/mail/a.ts: imports src/oauth/scope.ts: one of them has no place in the layers',
  },
  'anything of src in the verifier': {
    path: 'src/verifier/a.ts',
    text: "import type { Clock } from '../clock.ts'",
    breach: 'src/verifier/a.ts: imports src/clock.ts: verifier is a package of its own',
  },
  'anything of src in a migration': {
    path: 'migrations/20260101T0000_a.ts',
    text: "import type { Database } from '../src/stores/postgres/schema.ts'",
    breach:
      'migrations/20260101T0000_a.ts: imports src/stores/postgres/schema.ts: migrations stand alone',
  },
  'Fastify in a grant': {
    path: 'src/grants/a.ts',
    text: "import type { FastifyRequest } from 'fastify'",
    breach: 'src/grants/a.ts: imports fastify: only for app, endpoints, plugins',
  },
  'a plugin of Fastify in deps': {
    path: 'src/deps.ts',
    text: "import cors from '@fastify/cors'",
    breach: 'src/deps.ts: imports @fastify/cors: only for app, endpoints, plugins',
  },
  'SQL outside the stores': {
    path: 'src/accounts/a.ts',
    text: "import { sql } from 'kysely'",
    breach: 'src/accounts/a.ts: imports kysely: only for stores, deps, cli',
  },
  'Redis outside the stores': {
    path: 'src/plugins/a.ts',
    text: "import { Redis } from 'ioredis'",
    breach: 'src/plugins/a.ts: imports ioredis: only for stores, deps, cli',
  },
  'argon2 outside secrets': {
    path: 'src/accounts/a.ts',
    text: "import { hash } from '@node-rs/argon2'",
    breach: 'src/accounts/a.ts: imports @node-rs/argon2: only for secrets',
  },
  'jose in an endpoint': {
    path: 'src/endpoints/a.ts',
    text: "import { jwtVerify } from 'jose'",
    breach: 'src/endpoints/a.ts: imports jose: only for keys, tokens, dpop, clients, verifier',
  },
  'metrics outside their room': {
    path: 'src/tokens/a.ts',
    text: "import { Counter } from 'prom-client'",
    breach: 'src/tokens/a.ts: imports prom-client: only for observability',
  },
  'process below the top': {
    path: 'src/keys/a.ts',
    text: 'const home = process.env.HOME',
    breach: 'src/keys/a.ts: touches process, which only main and cli may',
  },
  'process by import': {
    path: 'src/keys/a.ts',
    text: "import { env } from 'node:process'",
    breach: 'src/keys/a.ts: imports node:process: only main and cli touch process',
  },
  'a default export': {
    path: 'src/keys/a.ts',
    text: 'export default 1',
    breach: 'src/keys/a.ts: has a default export',
  },
  'a name that says nothing': {
    path: 'src/keys/utils.ts',
    text: 'export const one = 1',
    breach: 'src/keys/utils.ts: has a name that says nothing',
  },
}

t.test('the check refuses', async (t) => {
  for (const [name, { path, text, breach }] of Object.entries(refused)) {
    t.same(breaches([parseSource(path, text)]), [breach], name)
  }
})

t.test('the check refuses files that import each other in a circle', async (t) => {
  const files = [
    parseSource('src/keys/a.ts', "import { b } from './b.ts'"),
    parseSource('src/keys/b.ts', "import type { C } from './c.ts'"),
    parseSource('src/keys/c.ts', "import { a } from './a.ts'"),
  ]
  t.same(breaches(files), [
    'src/keys/a.ts → src/keys/b.ts → src/keys/c.ts → src/keys/a.ts: imports in a circle',
  ])
})

const allowed: Record<string, { path: string; text: string }> = {
  'an import downwards': {
    path: 'src/endpoints/oauth/token.ts',
    text: "import { parseScope } from '../../oauth/scope.ts'",
  },
  'an import within a layer': {
    path: 'src/keys/a.ts',
    text: "import type { Sealer } from '../secrets/sealer.ts'",
  },
  'the clock anywhere': {
    path: 'src/oauth/a.ts',
    text: "import { addSeconds, type Clock } from '../clock.ts'",
  },
  'the type of the settings anywhere': {
    path: 'src/tokens/a.ts',
    text: "import { type Config } from '../config.ts'",
  },
  'a pick of the joined parts in an endpoint': {
    path: 'src/endpoints/health.ts',
    text: "import type { Deps } from '../deps.ts'",
  },
  'stores in deps': {
    path: 'src/deps.ts',
    text: "import { openDatabase } from './stores/postgres/database.ts'\nimport pg from 'pg'",
  },
  'the interface of a consumer in a store': {
    path: 'src/stores/redis/a.ts',
    text: "import type { Bus } from '../../revocation/bus.ts'\nimport { Redis } from 'ioredis'",
  },
  'process in the command line': {
    path: 'src/cli/main.ts',
    text: 'process.exitCode = 1',
  },
  'a word in a comment or a string': {
    path: 'src/keys/a.ts',
    text: "// process.env, import('../tokens/issuer.ts')\nexport const text = 'process.env'",
  },
}

t.test('the check allows', async (t) => {
  for (const [name, { path, text }] of Object.entries(allowed)) {
    t.same(breaches([parseSource(path, text)]), [], name)
  }
})
