import t from 'tap'
import { linesOf, startGuide } from '../support/guide.ts'
import { passPages } from '../support/relying-party.ts'
import { register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { createWebAgent } from '../support/web-agent.ts'

t.test('docs/server-side-web-app.md works as written', async (t) => {
  const guide = await startGuide(t)
  const { appUrl } = guide
  const [create = '', run = ''] = linesOf('server-side-web-app.md')
  const shell = guide.paste(create + run)
  await waitUntil('the app', () => shell.output().includes('Open http'), { timeoutMs: 20_000 })
  const person = await register(guide.app)
  const agent = createWebAgent()

  const home = await agent.open(appUrl)
  t.equal(home.text, 'Shop Sign in')
  const signedIn = await passPages(agent, await agent.open(`${appUrl}/sign-in`), person)
  t.equal(`${signedIn.url}`, `${appUrl}/`, signedIn.text)
  t.equal(signedIn.text, `Shop You are ${person.email}. Sign out`)

  await t.test('an answer counts once, and in the browser that asked', async (t) => {
    const other = createWebAgent((url) => url.pathname === '/callback')
    const answer = await passPages(other, await other.open(`${appUrl}/sign-in`), person)
    t.equal(answer.url.pathname, '/callback')
    const foreign = await createWebAgent().open(answer.url)
    t.equal(foreign.text, 'Shop Sign in', 'a browser that did not ask is not signed in')
    const asked = await other.ask(answer.url)
    t.equal(asked.status, 303)
    const again = await other.ask(answer.url)
    t.strictSame([again.status, again.headers.get('set-cookie')], [303, null])
  })

  await t.test('a false answer signs nobody in', async (t) => {
    const other = createWebAgent((url) => url.pathname === '/callback')
    const answer = await passPages(other, await other.open(`${appUrl}/sign-in`), person)
    answer.url.searchParams.set('iss', 'https://other.example')
    const refused = await other.ask(answer.url)
    t.equal(refused.status, 400)
    t.equal((await createWebAgent().open(appUrl)).text, 'Shop Sign in')
  })

  const back = await passPages(agent, await agent.submit(signedIn), person)
  t.equal(`${back.url}`, `${appUrl}/`, back.text)
  t.equal(back.text, 'Shop Sign in')
})
