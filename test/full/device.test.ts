import t from 'tap'
import { linesOf, startGuide } from '../support/guide.ts'
import { passPages } from '../support/relying-party.ts'
import { register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { createWebAgent } from '../support/web-agent.ts'

t.test('docs/device.md works as written', async (t) => {
  const guide = await startGuide(t)
  const [create = '', run = ''] = linesOf('device.md')
  const shell = guide.paste(create + run)
  const [, address = '', code = ''] = await waitUntil(
    'the code',
    () => /Go to (\S+) and type (\S+)/.exec(shell.output()),
    { timeoutMs: 20_000 },
  )
  const person = await register(guide.app)
  const agent = createWebAgent()

  const asked = await agent.submit(await agent.open(address), { user_code: code })
  // After the sign-in the code stands there already.
  const signedIn = await passPages(agent, asked, person)
  const shown = await agent.submit(signedIn)
  t.match(shown.text, code, 'the code is shown to be compared')
  const connected = await passPages(agent, shown, person)
  t.match(connected.text, 'The device is connected')
  await waitUntil('the device', () => shell.output().includes('Signed in'), { timeoutMs: 20_000 })
  t.equal(await shell.ended, 0, shell.output())
  t.match(shell.output(), `Signed in as ${person.email}\n`)
})
