/** A form as a browser without scripts sees it. */
export type HtmlForm = {
  /** As it stands in the page; relative to the page's address. */
  readonly action: string
  readonly method: 'get' | 'post'
  /** What is sent when nothing is typed or ticked, in order. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Names of all that can be filled in. */
  readonly names: readonly string[]
  readonly buttons: readonly HtmlButton[]
}

export type HtmlButton = { readonly name: string; readonly value: string; readonly text: string }

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}

/** Text as it was before it was escaped. */
export const decodeHtml = (text: string): string =>
  text
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) =>
      String.fromCodePoint(Number.parseInt(hex, 16)),
    )
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&([a-z]+);/gi, (whole, name: string) => entities[name] ?? whole)

type Attributes = Readonly<Record<string, string>>

const attributesOf = (tag: string): Attributes => {
  const pairs = tag.matchAll(/([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)
  return Object.fromEntries(
    [...pairs].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decodeHtml(double ?? single ?? bare ?? ''),
    ]),
  )
}

const textOf = (html: string): string =>
  decodeHtml(html.replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()

const elementsOf = (html: string, name: string): (readonly [Attributes, string])[] =>
  [...html.matchAll(new RegExp(`<${name}\\b([^>]*)>(.*?)</${name}>`, 'gis'))].map(
    ([, tag = '', content = '']) => [attributesOf(tag), content],
  )

const inputsOf = (html: string): Attributes[] =>
  [...html.matchAll(/<input\b([^>]*)>/gi)].map(([, tag = '']) => attributesOf(tag))

const isSent = ({ type = 'text', ...input }: Attributes): boolean =>
  input.name !== undefined &&
  type !== 'submit' &&
  ((type !== 'checkbox' && type !== 'radio') || input.checked !== undefined)

const sentValue = ({ type, value }: Attributes): string =>
  value ?? (type === 'checkbox' || type === 'radio' ? 'on' : '')

const selectedOf = (options: string): string => {
  const all = elementsOf(options, 'option')
  const [attributes, text] = all.find(([{ selected }]) => selected !== undefined) ?? all[0] ?? []
  return attributes?.value ?? textOf(text ?? '')
}

const buttonsOf = (html: string, inputs: readonly Attributes[]): HtmlButton[] => [
  ...elementsOf(html, 'button').map(([{ name = '', value = '' }, content]) => ({
    ...{ name, value },
    text: textOf(content),
  })),
  ...inputs
    .filter(({ type }) => type === 'submit')
    .map(({ name = '', value = '' }) => ({ name, value, text: value })),
]

/** The forms of a page, in order. Enough of HTML for pages that are well formed. */
export const formsOf = (html: string): HtmlForm[] =>
  elementsOf(html, 'form').map(([{ action = '', method = 'get' }, content]) => {
    const inputs = inputsOf(content)
    const selects = elementsOf(content, 'select')
    const named = [...inputs, ...selects.map(([attributes]) => attributes)]
    return {
      action,
      method: method.toLowerCase() === 'post' ? 'post' : 'get',
      fields: [
        ...inputs.filter(isSent).map((input) => [input.name ?? '', sentValue(input)] as const),
        ...selects.map(([{ name = '' }, options]) => [name, selectedOf(options)] as const),
      ],
      names: [...new Set(named.flatMap(({ name }) => name ?? []))],
      buttons: buttonsOf(content, inputs),
    }
  })

/** The visible text of a page. */
export const visibleText = (html: string): string =>
  textOf(html.replace(/<(script|style)\b.*?<\/\1>/gis, ''))
