import { test } from 'tap'
import { randomUserCode } from '../../src/secrets/user-code.ts'
import { beginDevice, createDeviceClient } from '../endpoints/oauth/device.ts'
import { csrfTokenOf, errorOf, startPages } from '../endpoints/pages/visitor.ts'

/** A browser that tries codes, from whichever address. */
const startGuessing = async (pages: Awaited<ReturnType<typeof startPages>>) => {
  const cookies: string[] = []
  const page = await pages.app.inject({ url: '/device' })
  cookies.push(...page.cookies.map(({ name, value }) => `${name}=${value}`))
  const token = /name="csrf_token" value="([^"]*)"/.exec(page.body)?.[1] ?? ''
  return async (userCode: string, address: string, path = '/device') => {
    const { statusCode, headers } = await pages.app.inject({
      method: 'POST',
      url: path,
      remoteAddress: address,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        cookie: cookies.join('; '),
      },
      payload: new URLSearchParams({ csrf_token: token, user_code: userCode }).toString(),
    })
    return statusCode === 429 ? `429 after ${headers['retry-after']}` : statusCode
  }
}

test('codes of devices cannot be guessed (RFC 8628 §5.1)', async (t) => {
  await t.test('from one address only so many are tried, right ones too', async (t) => {
    const pages = await startPages(t, { RATE_LIMIT_USER_CODE: '3/300' })
    const guess = await startGuessing(pages)
    for (const status of [400, 400, 400, '429 after 300']) {
      t.equal(await guess(randomUserCode(), '192.0.2.1'), status)
    }
    const client = await createDeviceClient(pages)
    const { user_code } = await beginDevice(pages, client)
    t.equal(await guess(user_code, '192.0.2.1'), '429 after 300', 'and nothing is told')
    t.equal(await guess(user_code, '192.0.2.1', '/device/confirm'), '429 after 300')
    t.equal(await guess(user_code, '192.0.2.2'), 303, 'others go on')
  })

  await t.test('from many addresses only so many are tried in all', async (t) => {
    const pages = await startPages(t, { RATE_LIMIT_USER_CODES: '5/60' })
    const guess = await startGuessing(pages)
    for (const host of [1, 2, 3, 4, 5]) {
      const path = host % 2 === 0 ? '/device' : '/device/confirm'
      t.equal(await guess(randomUserCode(), `192.0.2.${host}`, path), host % 2 === 0 ? 400 : 410)
    }
    t.equal(await guess(randomUserCode(), '192.0.2.6'), '429 after 60')
    t.equal(await guess(randomUserCode(), '192.0.2.7', '/device/confirm'), '429 after 60')
  })

  await t.test('a right code and a wrong one differ for nobody but who is signed in', async (t) => {
    const pages = await startPages(t)
    const browser = pages.openBrowser()
    const form = await browser.open(`${pages.issuer}/device`)
    t.type(csrfTokenOf(form), 'string')
    const wrong = await browser.submit(form, { user_code: randomUserCode() })
    t.notMatch(wrong.html, 'Television')
    const client = await createDeviceClient(pages)
    const { user_code } = await beginDevice(pages, client)
    const right = await browser.submit(form, { user_code })
    t.notMatch(right.html, 'Television', 'whose device it is, is not told before a sign-in')
    t.equal(errorOf(right), undefined)
  })
})
