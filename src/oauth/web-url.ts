import { loopbackHosts } from './redirect-uri.ts'

const parse = (text: string): URL | undefined =>
  /^[\x21-\x7e]{1,2000}$/.test(text) && URL.canParse(text) ? new URL(text) : undefined

/** An https URL without credentials. That leaves out `javascript:` and `data:`. */
export const isSecureUrl = (text: string): boolean => {
  const url = parse(text)
  return url?.protocol === 'https:' && url.username + url.password === ''
}

/** The same, or http on the own machine, as while something is being developed. */
export const isWebUrl = (text: string): boolean => {
  if (isSecureUrl(text)) return true
  const url = parse(text)
  if (url?.protocol !== 'http:' || url.username + url.password !== '') return false
  return loopbackHosts.includes(url.hostname)
}
