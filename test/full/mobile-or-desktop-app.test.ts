import t from 'tap'
import { linesOf, startGuide } from '../support/guide.ts'
import { passPages } from '../support/relying-party.ts'
import { register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { createWebAgent } from '../support/web-agent.ts'

t.test('docs/mobile-or-desktop-app.md works as written', async (t) => {
  const guide = await startGuide(t)
  const [create = '', run = '', mobile = ''] = linesOf('mobile-or-desktop-app.md')
  const shell = guide.paste(create + run)
  const address = await waitUntil('the address', () => /Open (\S+)/.exec(shell.output())?.[1], {
    timeoutMs: 20_000,
  })
  const person = await register(guide.app)
  const agent = createWebAgent()

  const last = await passPages(agent, await agent.open(address), person)

  t.equal(last.text, 'You can close this window.')
  t.equal(await shell.ended, 0, shell.output())
  t.match(shell.output(), `Signed in as ${person.email}\nRenewed, good for `)

  const registered = guide.paste(mobile)
  t.equal(await registered.ended, 0, registered.output())
})
