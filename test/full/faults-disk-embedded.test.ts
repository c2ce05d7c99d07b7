import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { bodyOf, credentials, post, type SignedIn } from '../faults/over-http.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'
import { systemTool } from '../support/system-tool.ts'

// Without a key-encryption key: the one that the service has made for itself has to survive too.
const { KEY_ENCRYPTION_KEY: _given, ...environment } = testEnvironment
const libraries = ['/usr/lib/fiu/fiu_run_preload.so', '/usr/lib/fiu/fiu_posix_preload.so']

/**
 * Starts the service with a disk that can be spoilt.
 * @returns the server, and what spoils its disk: only files are written at a position, sockets and
 *   the log are spared
 */
const startOnBadDisk = async (t: Test, folder: string) => {
  await systemTool({ programs: ['fiu-run'], debianPackage: 'fiu-utils' })
  const fiu = await systemTool({ programs: ['fiu-ctrl'], debianPackage: 'fiu-utils' })
  const fifo = join(temporaryFolder('fiu'), 'control')
  const preloaded = { LD_PRELOAD: libraries.join(' '), FIU_CTRL_FIFO: fifo }
  const server = await startServer(t, { ...environment, ...preloaded }, { folder })
  const spoil = (fault: string): void => {
    const command = `enable name=posix/io/rw/${fault}`
    const options = { encoding: 'utf8', timeout: 10_000 } as const
    const { status, stderr } = spawnSync(fiu, ['-f', fifo, '-c', command, `${server.pid}`], options)
    if (status !== 0) throw new Error(`fiu-ctrl ended with ${status}: ${stderr}`)
  }
  return { server, spoil }
}

for (const [fault, errno] of Object.entries({
  'a full disk (ENOSPC)': 28,
  'a broken one (EIO)': 5,
})) {
  test(`embedded: ${fault} ends the service with a sentence, nothing half done, and a start with a good disk has all that was answered`, async (t) => {
    const folder = temporaryFolder('embedded')
    const { server: broken, spoil } = await startOnBadDisk(t, folder)
    const [account, refused] = [credentials(), credentials()]
    const { refresh_token: parent } = await bodyOf<SignedIn>(
      post(broken, '/auth/register', account),
    )
    const renewed = await bodyOf<SignedIn>(post(broken, '/refresh', { refresh_token: parent }))

    spoil(`pwrite,failinfo=${errno}`)
    const requests = [
      post(broken, '/auth/register', refused),
      post(broken, '/refresh', { refresh_token: renewed.refresh_token }),
    ]
    for (const outcome of await Promise.allSettled(requests)) {
      // One that comes when it has ended finds nobody.
      if (outcome.status === 'rejected') continue
      t.equal(outcome.value.status, 503)
      t.equal(outcome.value.headers.get('retry-after'), '1')
    }
    t.strictSame(await broken.exit, { code: 1, signal: null })
    t.match(
      broken.log().filter(({ level }) => level === 60 || level === 'fatal'),
      [{ msg: 'the embedded database cannot go on: see to its disk, start again' }],
    )

    const mended = await startServer(t, environment, { folder })
    t.equal((await post(mended, '/auth/login', account)).status, 200, 'what was answered is there')
    const next = await post(mended, '/refresh', { refresh_token: renewed.refresh_token })
    t.equal(next.status, 200, 'with the same keys')
    t.equal((await post(mended, '/auth/register', refused)).status, 201, 'the rest is not')
  })
}

for (const [end, how] of Object.entries({
  'kill -9': 'kill',
  'a stop': 'stop',
} as const)) {
  test(`embedded: of a disk that takes a part of each write nothing is lost, after ${end} either`, async (t) => {
    const folder = temporaryFolder('embedded')
    const { server, spoil } = await startOnBadDisk(t, folder)
    const account = credentials()
    await bodyOf<SignedIn>(post(server, '/auth/register', account))
    spoil('pwrite/reduce')
    const later = Array.from({ length: 20 }, () => credentials())
    const tokens: string[] = []
    for (const each of later) {
      const { refresh_token } = await bodyOf<SignedIn>(post(server, '/auth/register', each))
      tokens.push(refresh_token)
    }
    await server[how]()

    const mended = await startServer(t, environment, { folder })
    for (const each of [account, ...later]) {
      t.equal((await post(mended, '/auth/login', each)).status, 200)
    }
    for (const refresh_token of tokens) {
      t.equal((await post(mended, '/refresh', { refresh_token })).status, 200)
    }
  })
}
