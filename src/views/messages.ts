import { de } from './messages/de.ts'
import { en } from './messages/en.ts'

export type MessageKey = keyof typeof en
export type Messages = Readonly<Record<MessageKey, string>>

const catalogue = { en, de } as const satisfies Record<string, Messages>

/** A language that the pages are written in; the first is for those who ask for none of them. */
export type Language = keyof typeof catalogue
export const languages = Object.keys(catalogue) as [Language, ...Language[]]

export const isMessageKey = (text: string): text is MessageKey => Object.hasOwn(en, text)

/** Says something in a language. @param values of the places in the text, unescaped */
export const say = (
  language: Language,
  key: MessageKey,
  values: Readonly<Record<string, string | number>> = {},
): string =>
  catalogue[language][key].replace(/\{([a-z]+)\}/g, (place, name: string) =>
    String(values[name] ?? place),
  )

/** A date as the language writes it, in UTC: the pages do not know where their reader is. */
export const sayDate = (language: Language, date: Date): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(date)
