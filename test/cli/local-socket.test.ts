import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { CliError } from '../../src/cli/cli-error.ts'
import { callLocalSocket } from '../../src/cli/local-client.ts'
import {
  type LocalHandler,
  type LocalSocketOptions,
  serveLocalSocket,
} from '../../src/cli/local-socket.ts'
import { localSocketPath } from '../../src/cli/socket-path.ts'
import { noteProcess, temporaryFolder } from '../support/run-folder.ts'

const newPath = () => join(temporaryFolder('socket'), 'tessera.sock')
const echo: LocalHandler = async (request) => ({ ok: true, result: request })

const serve = async (
  t: Test,
  {
    path = newPath(),
    handle = echo,
    ...options
  }: LocalSocketOptions & {
    path?: string
    handle?: LocalHandler
  } = {},
) => {
  const server = await serveLocalSocket(path, handle, options)
  t.teardown(server.close)
  return { path, server }
}

/** Sends bytes as they are. @returns all that comes back until the server ends. */
const exchange = async (path: string, bytes: string | Buffer): Promise<string> => {
  const socket = connect(path)
  socket.write(bytes)
  return text(socket)
}

t.test('a request is answered, and any JSON arrives as it was sent', async (t) => {
  const { path } = await serve(t)
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.jsonValue(), async (operation, input) => {
      const sent = { operation, input: JSON.parse(JSON.stringify(input)) }
      const answer = await callLocalSocket(path, sent)
      t.strictSame(answer, { ok: true, result: sent })
    }),
    { numRuns: 50 },
  )
})

t.test('only the owner may use the socket, and it is gone once closed', async (t) => {
  const { path, server } = await serve(t)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.ok(statSync(path).isSocket())
  await server.close()
  t.notOk(existsSync(path))
  t.equal(await callLocalSocket(path, { operation: 'x', input: {} }), undefined)
})

t.test('where nobody listens there is no answer, and nothing is made', async (t) => {
  const path = newPath()
  t.equal(await callLocalSocket(path, { operation: 'x', input: {} }), undefined)
  t.notOk(existsSync(path))
})

const listenUntilKilled = async (t: Test, path: string): Promise<ChildProcess> => {
  const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('listens'))`
  const child = spawn(process.execPath, ['-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  noteProcess(child)
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

t.test('a socket that a killed process left is replaced, a living one is not', async (t) => {
  const path = newPath()
  const other = await listenUntilKilled(t, path)
  await t.rejects(
    serveLocalSocket(path, echo),
    new CliError(`Another process of Tessera answers at ${path}: stop it first`),
  )
  other.kill('SIGKILL')
  await once(other, 'exit')
  t.ok(existsSync(path), 'it left its socket')
  await serve(t, { path })
  t.strictSame(await callLocalSocket(path, { operation: 'x', input: 1 }), {
    ok: true,
    result: { operation: 'x', input: 1 },
  })
})

t.test('several requests at once are each answered with their own', async (t) => {
  const { path } = await serve(t)
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, input) => callLocalSocket(path, { operation: 'x', input })),
  )
  t.strictSame(
    answers,
    Array.from({ length: 10 }, (_, input) => ({ ok: true, result: { operation: 'x', input } })),
  )
})

const refusal = (message: string) => `${JSON.stringify({ ok: false, error: { message } })}\n`

t.test('a request past the limit is refused, one at the limit is not', async (t) => {
  const { path } = await serve(t, { limitBytes: 100 })
  const atLimit = JSON.stringify('x'.repeat(98))
  t.equal(await exchange(path, `${atLimit}\n`), `{"ok":true,"result":${atLimit}}\n`)
  t.equal(
    await exchange(path, `${JSON.stringify('x'.repeat(99))}\n`),
    refusal('The request was not read: the message has more than 100 bytes'),
  )
})

t.test('what is not JSON is refused', async (t) => {
  const { path } = await serve(t)
  t.match(
    await exchange(path, 'GET / HTTP/1.1\r\n\r\n'),
    /^\{"ok":false,"error":\{"message":"The request was not read: /,
  )
  t.match(await exchange(path, Buffer.from([0xff, 0x0a])), /^\{"ok":false/)
})

t.test('of two requests on one connection the first is answered', async (t) => {
  const { path } = await serve(t)
  t.equal(await exchange(path, '1\n2\n'), '{"ok":true,"result":1}\n')
})

t.test('a request that arrives byte by byte is one request', async (t) => {
  const { path } = await serve(t)
  const socket = connect(path)
  const answer = text(socket)
  for (const byte of Buffer.from('"Grüße"\n')) {
    await new Promise((done) => socket.write(Buffer.from([byte]), done))
  }
  t.equal(await answer, '{"ok":true,"result":"Grüße"}\n')
})

t.test('who sends no request within the time is put off', async (t) => {
  const { path } = await serve(t, { requestTimeoutMs: 50 })
  t.equal(await exchange(path, '{"oper'), '')
})

t.test('who ends without a request gets nothing', async (t) => {
  const { path } = await serve(t)
  const socket = connect(path)
  socket.end('{"oper')
  t.equal(await text(socket), '')
})

t.test('closing lets a running request end first, and waits for no idle client', async (t) => {
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const { path, server } = await serve(t, {
    handle: async () => {
      begun.resolve()
      await gate.promise
      return { ok: true, result: 'done' }
    },
  })
  const idle = connect(path)
  await once(idle, 'connect')
  const answer = callLocalSocket(path, { operation: 'x', input: {} })
  await begun.promise
  const closed = server.close()
  gate.resolve()
  t.strictSame(await answer, { ok: true, result: 'done' })
  await closed
  t.notOk(existsSync(path))
})

t.test('a server that dies before it answers is an error, not silence', async (t) => {
  const path = newPath()
  const script = `require('node:net').createServer((s) => s.once('data', () => process.exit())).listen(process.argv[1], () => console.log('listens'))`
  const child = spawn(process.execPath, ['-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  noteProcess(child)
  await once(child.stdout, 'data')
  await t.rejects(
    callLocalSocket(path, { operation: 'x', input: {} }),
    new CliError('The server ended before it had answered: look whether it was done'),
  )
})

t.test('the path is the shorter of both forms, and refused when both are too long', async (t) => {
  const deep = `/${'x'.repeat(89)}`
  t.equal(localSocketPath(deep), `${deep}/tessera.sock`, '103 bytes are allowed')
  t.throws(
    () => localSocketPath(`${deep}x`),
    new CliError(
      `The path of the data folder ${deep}x is too long for a local socket, which may have 103 bytes: set DATA_DIR to a shorter one`,
    ),
  )
  t.equal(localSocketPath('data'), join('data', 'tessera.sock'))
  const below = join(resolve('y'.repeat(88)))
  t.equal(localSocketPath(below), join(relative('', below), 'tessera.sock'))
})

t.test('a path of the allowed length can be served', async (t) => {
  const folder = temporaryFolder('socket')
  const path = join(folder, 'x'.repeat(103 - folder.length - 1))
  await serve(t, { path })
  t.strictSame(await callLocalSocket(path, { operation: 'x', input: 1 }), {
    ok: true,
    result: { operation: 'x', input: 1 },
  })
})

t.test('something else at the path is no reason to fail', async (t) => {
  const path = newPath()
  writeFileSync(path, '')
  await serve(t, { path })
  t.ok(statSync(path).isSocket())
})
