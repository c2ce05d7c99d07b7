import {
  type CertificateName,
  type ClientSettings,
  certificateNames,
  defaultClientSettings,
  statedSettings,
} from '../clients/client-settings.ts'
import { settingName } from '../clients/setting-name.ts'

type Member = keyof ClientSettings

const plainMembers = (Object.keys(defaultClientSettings) as Member[]).filter(
  (member) => member !== 'tlsClientAuth',
)

const certificateMember = (name: string): string => `tls_client_auth_${name}`

/**
 * The settings that a document states, by the names of RFC 7591 §2; null states the default. What
 * they may be is for the rules of a registration to say.
 */
export const readSettings = (body: Readonly<Record<string, unknown>>): Partial<ClientSettings> => ({
  ...Object.fromEntries(
    plainMembers
      .filter((member) => body[settingName(member)] !== undefined)
      .map((member) => [member, body[settingName(member)] ?? defaultClientSettings[member]]),
  ),
  ...readCertificateName(body),
})

/** Several names are kept as one that no rule lets pass. */
const readCertificateName = (
  body: Readonly<Record<string, unknown>>,
): Pick<ClientSettings, 'tlsClientAuth'> | undefined => {
  const stated = certificateNames.filter((name) => body[certificateMember(name)] !== undefined)
  if (stated.length === 0) return undefined
  const named = stated.filter((name) => body[certificateMember(name)] !== null)
  const [first] = named
  if (first === undefined) return { tlsClientAuth: null }
  const member = named.join() as CertificateName['member']
  return { tlsClientAuth: { member, value: String(body[certificateMember(first)]) } }
}

/** The settings as a document has them. @param which `stated`: those that differ from defaults */
export const toWireSettings = (
  settings: ClientSettings,
  which: 'stated' | 'all' = 'stated',
): Record<string, unknown> => {
  const { tlsClientAuth, ...others }: Partial<ClientSettings> =
    which === 'all' ? settings : statedSettings(settings)
  return {
    ...Object.fromEntries(
      Object.entries(others).map(([member, value]) => [settingName(member as Member), value]),
    ),
    ...(tlsClientAuth ? { [certificateMember(tlsClientAuth.member)]: tlsClientAuth.value } : {}),
  }
}
