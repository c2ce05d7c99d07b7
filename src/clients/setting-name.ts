import type { ClientSettings } from './client-settings.ts'

/** A setting by the name that the wire, the log and the database have for it (RFC 7591 §2). */
export const settingName = (member: keyof ClientSettings): string =>
  member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
