import { decodeJwt } from 'jose'
import { test } from 'tap'
import { register } from '../../support/service.ts'
import { beginDevice, createDeviceClient, pollDevice } from '../oauth/device.ts'
import { errorOf, nameOf, startPages } from './visitor.ts'

const unknownCode =
  'This code is not known, or has expired. Check it, or start again on the device.'

test('/device', async (t) => {
  const pages = await startPages(t)
  const { app, issuer, deps, openBrowser } = pages
  const client = await createDeviceClient(pages, ['refresh_token'])
  const begin = (form: object = {}) => beginDevice(pages, client, form)

  /** Somebody who is signed in to a browser. */
  const joinBrowser = async () => {
    const person = await register(app)
    const browser = openBrowser()
    const form = await browser.open(`${issuer}/sign-in`)
    await browser.submit(form, { username: person.email, password: person.password })
    return { browser, ...person }
  }

  await t.test('somebody signs in, compares the code, agrees: the device has tokens', async (t) => {
    const { email, password, user } = await register(app)
    const { device_code, user_code } = await begin({ scope: 'read' })
    const browser = openBrowser()
    const form = await browser.open(`${issuer}/device`)
    t.equal(nameOf(form), 'device')
    const signIn = await browser.submit(form, { user_code: user_code.toLowerCase() })
    t.equal(nameOf(signIn), 'sign-in')
    const back = await browser.submit(signIn, { username: email, password })
    t.equal(nameOf(back), 'device')
    t.match(back.html, `value="${user_code}"`)
    const confirm = await browser.submit(back, {})
    t.equal(nameOf(confirm), 'device-confirm')
    for (const text of ['Television', user_code, email, 'read']) t.match(confirm.text, text)
    const done = await browser.submit(confirm, {}, 'allow')
    t.equal(nameOf(done), 'device-done')

    const { access_token } = (await pollDevice(pages, client, device_code)).json()
    t.match(decodeJwt(access_token), { sub: user.id, scope: 'read', client_id: client.id })
    t.match(await deps.accounts.ownConsents.list(user.id), [{ clientId: client.id }])
  })

  await t.test('a complete address shows the code, and still asks (RFC 8628 §5.4)', async (t) => {
    const { browser } = await joinBrowser()
    const { device_code, user_code } = await begin()
    const form = await browser.open(`${issuer}/device?user_code=${user_code}`)
    t.equal(nameOf(form), 'device')
    t.match(form.html, `value="${user_code}"`)
    const confirm = await browser.submit(form, {})
    t.match(confirm.text, user_code)
    t.match(confirm.text, 'If somebody sent you the code, do not allow it.')
    t.match((await pollDevice(pages, client, device_code)).json(), {
      error: 'authorization_pending',
    })
  })

  await t.test('what is refused is refused', async (t) => {
    const { browser } = await joinBrowser()
    const { device_code, user_code } = await begin()
    const form = await browser.open(`${issuer}/device`)
    const denied = await browser.submit(await browser.submit(form, { user_code }), {}, 'deny')
    t.equal(nameOf(denied), 'device-denied')
    t.match((await pollDevice(pages, client, device_code)).json(), { error: 'access_denied' })
    const late = await browser.submit(form, { user_code })
    t.strictSame([late.status, errorOf(late)], [400, unknownCode])
  })

  await t.test('a code that is none is said to be, with what was typed', async (t) => {
    const { browser } = await joinBrowser()
    const form = await browser.open(`${issuer}/device`)
    for (const user_code of ['BBBB-BBBB', 'hello', '', '"><script>']) {
      const page = await browser.submit(form, { user_code })
      t.equal(page.status, 400, user_code)
      t.equal(nameOf(page), 'device')
      t.equal(errorOf(page), unknownCode)
      t.notMatch(page.html, '<script>')
    }
  })

  await t.test('two tabs: the second answer finds nothing to answer', async (t) => {
    const { browser } = await joinBrowser()
    const { device_code, user_code } = await begin()
    const form = await browser.open(`${issuer}/device`)
    const confirm = await browser.submit(form, { user_code })
    await browser.submit(confirm, {}, 'allow')
    const second = await browser.submit(confirm, {}, 'deny')
    t.equal(second.status, 410)
    t.equal((await pollDevice(pages, client, device_code)).statusCode, 200)
  })

  await t.test('a form of another site, or of another browser, changes nothing', async (t) => {
    const { browser, user } = await joinBrowser()
    const other = await joinBrowser()
    const { device_code, user_code } = await begin()
    const form = await browser.open(`${issuer}/device`)
    const confirm = await browser.submit(form, { user_code })
    const stolen = await other.browser.submit(confirm, {}, 'allow')
    t.equal(stolen.status, 403)
    const answer = await app.inject({
      method: 'POST',
      url: '/device/confirm',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://evil.example',
      },
      payload: new URLSearchParams({ user_code, decision: 'allow', session: user.id }).toString(),
    })
    t.equal(answer.statusCode, 403)
    t.match((await pollDevice(pages, client, device_code)).json(), {
      error: 'authorization_pending',
    })
  })

  await t.test(
    'a consent that is taken back ends what the device has, and will have',
    async (t) => {
      const { browser, user } = await joinBrowser()
      const { device_code, user_code } = await begin()
      const form = await browser.open(`${issuer}/device`)
      await browser.submit(await browser.submit(form, { user_code }), {}, 'allow')
      await deps.accounts.ownConsents.revoke(user.id, client.id, {})
      t.match((await pollDevice(pages, client, device_code)).json(), { error: 'expired_token' })
    },
  )
})
