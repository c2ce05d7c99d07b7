import { randomBytes } from 'node:crypto'

/** Everything that must not be logged; named, so that a failure does not have to show it. */
export const createVault = () => {
  const secrets = new Map<string, string>()
  return {
    secrets,
    /** A secret that looks like nothing else, with what has to be escaped somewhere. */
    make(name: string): string {
      const secret = `${randomBytes(12).toString('base64url')} "ä+/%`
      secrets.set(name, secret)
      return secret
    },
    keep(name: string, secret: string): string {
      secrets.set(name, secret)
      return secret
    },
  }
}

/** As it is, inside JSON, in an address, in a form, and in both kinds of base64. */
export const formsOf = (secret: string): string[] => {
  const bytes = Buffer.from(secret)
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]
}
