import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { alertSecret, type Delivery, startAlertReceiver } from './support/alert-receiver.ts'
import { temporaryFolder } from './support/run-folder.ts'
import { register, startService } from './support/service.ts'
import { waitUntil } from './support/wait-until.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** A receiver's program around the lines of the README, word for word. */
const program = (): string => {
  const [, lines = ''] =
    /check the signature over the raw body:\n\n```js\n(.*?)```/s.exec(readme) ?? []
  if (!lines.includes('genuine')) throw new Error('the README has no lines for receivers')
  const given = 'const { secret, headers, rawBody } = JSON.parse(process.argv[2])\n'
  return `${given}${lines}\nprocess.stdout.write(String(genuine))\n`
}

const path = join(temporaryFolder('receiver'), 'receiver.mjs')
writeFileSync(path, program())

const isGenuine = ({ headers, body: rawBody }: Delivery, secret: string): boolean => {
  const asked = JSON.stringify({ secret, headers, rawBody })
  return execFileSync(process.execPath, [path, asked], { encoding: 'utf8' }) === 'true'
}

const otherSecret = `whsec_${Buffer.alloc(32, 6).toString('base64')}`

/** A delivery that the service has made. */
const deliver = async (t: Parameters<typeof startService>[0], environment = {}) => {
  const { messages, settings } = await startAlertReceiver(t)
  const service = await startService(t, { ...settings, ...environment }, { alertIntervalMs: 30 })
  const { user } = await register(service.app)
  await service.deps.userAdministration.grantRole(user.id, 'admin', { actor: 'cli', origin: {} })
  const [message] = await waitUntil('the delivery', () => messages.length > 0 && messages)
  if (message === undefined) throw new Error('nothing was delivered')
  return message
}

test('README: its lines for receivers take what the service has signed, and nothing else', async (t) => {
  const message = await deliver(t)
  const { headers, body } = message
  t.equal(isGenuine(message, alertSecret), true)
  t.equal(isGenuine(message, otherSecret), false, 'another secret')
  t.equal(isGenuine({ headers, body: body.replace('admin', 'Admin') }, alertSecret), false)
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
    const changed = { ...headers, [name]: `${headers[name]}0` }
    t.equal(isGenuine({ headers: changed, body }, alertSecret), false, name)
  }
})

test('README: while the secret is changed, receivers with the old and with the new one take it', async (t) => {
  const message = await deliver(t, { ALERT_WEBHOOK_SECRET: `${otherSecret},${alertSecret}` })
  t.equal(isGenuine(message, otherSecret), true)
  t.equal(isGenuine(message, alertSecret), true)
})
