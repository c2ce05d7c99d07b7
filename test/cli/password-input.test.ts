import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { CliError } from '../../src/cli/cli-error.ts'
import { obtainPassword } from '../../src/cli/password-input.ts'

/** Streams of a process whose standard input is a terminal or a pipe. */
const streams = (isTTY: boolean) => {
  const stdin = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.ReadStream &
    PassThrough
  return { stdin, stderr: new PassThrough() }
}

t.test('from a pipe the password is taken as it is, but for the end of its line', async (t) => {
  const table = [
    ['correct horse', 'correct horse'],
    ['correct horse\n', 'correct horse'],
    ['correct horse\r\n', 'correct horse'],
    ['  spaces stay  \n', '  spaces stay  '],
    ['two\nlines\n', 'two\nlines'],
    ['two ends\n\n', 'two ends\n'],
    ['pässwörd 🔑\n', 'pässwörd 🔑'],
  ] as const
  for (const [piped, password] of table) {
    const { stdin, stderr } = streams(false)
    stdin.end(piped)
    t.strictSame(await obtainPassword({ stdin, stderr }, true), { password, generated: false })
    stderr.end()
    t.equal(await text(stderr), '', 'nothing is asked')
  }
})

t.test('what is piped and cannot be a password is refused', async (t) => {
  const table: readonly (readonly [string | Buffer, string])[] = [
    ['', 'There is no password on standard input'],
    ['\n', 'There is no password on standard input'],
    [Buffer.from([0x70, 0xff]), 'The password on standard input is not UTF-8'],
    ['x'.repeat(4097), 'Standard input is too long for a password'],
  ]
  for (const [piped, message] of table) {
    const { stdin, stderr } = streams(false)
    stdin.end(piped)
    await t.rejects(obtainPassword({ stdin, stderr }, true), new CliError(message))
  }
})

t.test('at a terminal it is typed twice, and never shown', async (t) => {
  const { stdin, stderr } = streams(true)
  stdin.write('correct horse\ncorrect horse\n')
  t.strictSame(await obtainPassword({ stdin, stderr }, false), {
    password: 'correct horse',
    generated: false,
  })
  stderr.end()
  t.equal(await text(stderr), 'Password: \nPassword again: \n')
})

t.test('a typing mistake can be deleted', async (t) => {
  const { stdin, stderr } = streams(true)
  stdin.write('correct house\x7f\x7f\x7f')
  stdin.write('rse\rcorrect horse\r')
  t.strictSame(await obtainPassword({ stdin, stderr }, false), {
    password: 'correct horse',
    generated: false,
  })
})

t.test('two different ones are refused, and so is breaking off', async (t) => {
  const table = [
    ['one thing\nanother\n', 'The two passwords differ: nothing was done'],
    ['half typed\x03', 'No password was typed: nothing was done'],
    ['one thing\n\x03', 'No password was typed: nothing was done'],
    ['\x04', 'No password was typed: nothing was done'],
  ] as const
  for (const [typed, message] of table) {
    const { stdin, stderr } = streams(true)
    stdin.write(typed)
    await t.rejects(obtainPassword({ stdin, stderr }, false), new CliError(message))
  }
})

t.test('without a terminal one is made: 144 random bits, another each time', async (t) => {
  const made = await Promise.all(
    Array.from({ length: 3 }, () => obtainPassword(streams(false), false)),
  )
  for (const { password, generated } of made) {
    t.match(password, /^[A-Za-z0-9_-]{24}$/)
    t.equal(generated, true)
  }
  t.equal(new Set(made.map(({ password }) => password)).size, 3)
})
