import { formsOf, type HtmlForm, visibleText } from './html-forms.ts'

/** What stands at an address after all redirects. */
export type WebPage = {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly html: string
  /** What a person reads. */
  readonly text: string
  readonly forms: readonly HtmlForm[]
}

type Sent = {
  readonly method: 'GET' | 'POST'
  readonly body?: URLSearchParams
  readonly origin?: string
}

const plain: Sent = { method: 'GET' }
const mostRedirects = 20

/**
 * A browser without scripts: it keeps cookies by host and port, follows redirects and fills in
 * forms by the names of their fields. Addresses of the app are not opened but returned, with status
 * 0, when `isApp` says so: there the test goes on as the app.
 */
export const createWebAgent = (isApp: (url: URL) => boolean = () => false) => {
  const jars = new Map<string, Map<string, string>>()
  const jarOf = ({ host }: URL): Map<string, string> => {
    const jar = jars.get(host) ?? new Map<string, string>()
    jars.set(host, jar)
    return jar
  }

  const keep = (url: URL, headers: Headers): void => {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';')
      const name = pair.slice(0, pair.indexOf('='))
      const isGone = attributes.some((text) => /^\s*max-age=0\s*$/i.test(text))
      if (isGone) jarOf(url).delete(name)
      else jarOf(url).set(name, pair.slice(pair.indexOf('=') + 1))
    }
  }

  /** One request, without following anything. */
  const ask = async (url: URL, { method, body, origin }: Sent = plain): Promise<Response> => {
    const cookie = [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'text/html,*/*;q=0.1',
        'accept-language': 'en',
        ...(cookie === '' ? {} : { cookie }),
        ...(origin === undefined ? {} : { origin }),
      },
      ...(body === undefined ? {} : { body }),
    })
    keep(url, answer.headers)
    return answer
  }

  const open = async (address: string | URL, sent: Sent = plain): Promise<WebPage> => {
    let url = new URL(address)
    let next = sent
    for (let count = 0; count <= mostRedirects; count += 1) {
      if (isApp(url)) return pageOf(url, 0, new Headers(), '')
      const answer = await ask(url, next)
      const location = answer.headers.get('location')
      const html = await answer.text()
      if (location === null) return pageOf(url, answer.status, answer.headers, html)
      url = new URL(location, url)
      next = plain
    }
    throw new Error(`more than ${mostRedirects} redirects, the last one to ${url}`)
  }

  /** Sends a form of the page, with what a person types and the button that is pressed. */
  const submit = (
    page: WebPage,
    typed: Readonly<Record<string, string>> = {},
    button?: string,
  ): Promise<WebPage> => {
    const form = formWith(page, Object.keys(typed), button)
    const body = new URLSearchParams([...form.fields.filter(([name]) => !(name in typed))].map(two))
    for (const [name, value] of Object.entries(typed)) body.append(name, value)
    const pressed = form.buttons.find((each) => isCalled(each, button))
    if (pressed !== undefined && pressed.name !== '') body.append(pressed.name, pressed.value)
    const target = new URL(form.action, page.url)
    if (form.method === 'post') {
      return open(target, { method: 'POST', body, origin: page.url.origin })
    }
    target.search = body.toString()
    return open(target)
  }

  /** The cookies that it keeps for an address, by name. */
  const cookiesOf = (address: string | URL): Map<string, string> => jarOf(new URL(address))

  return { ask, open, submit, cookiesOf }
}

export type WebAgent = ReturnType<typeof createWebAgent>

const two = ([name, value]: readonly [string, string]): [string, string] => [name, value]

const isCalled = ({ name, value, text }: HtmlForm['buttons'][number], wanted?: string): boolean =>
  wanted === undefined || [name, value, text].includes(wanted)

/** The form that has all the fields, and the button. */
const formWith = (page: WebPage, names: readonly string[], button?: string): HtmlForm => {
  const fits = (form: HtmlForm) =>
    names.every((name) => form.names.includes(name)) &&
    (button === undefined || form.buttons.some((each) => isCalled(each, button)))
  const form = page.forms.find(fits)
  if (form !== undefined) return form
  throw new Error(`no form with ${names} and the button ${button} at ${page.url}:\n${page.text}`)
}

const pageOf = (url: URL, status: number, headers: Headers, html: string): WebPage => ({
  ...{ url, status, headers, html },
  text: visibleText(html),
  forms: formsOf(html),
})
