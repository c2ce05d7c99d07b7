/** Where Redis is, as REDIS_URL says: one server, a master that Sentinels name, or a cluster. */
export type RedisServers = {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  /** The server, the Sentinels, or nodes from which the others are found. */
  readonly nodes: readonly RedisNode[]
  readonly tls: boolean
  /** A user of Redis's access control lists; without it the password is the `default` user's. */
  readonly username?: string
  readonly password?: string
  /** Number of the database; a cluster has only 0. */
  readonly database: number
  /** Under which name the Sentinels know the master. */
  readonly masterName: string
}

type RedisNode = { readonly host: string; readonly port: number }

const form =
  /^(redis|rediss|redis-sentinel|redis-cluster):\/\/(?:([^/?#]*)@)?([^/?#@]+)(?:\/([^?#]*))?$/

/**
 * Reads `redis[s]://[[user]:password@]host[:port][/database]`,
 * `redis-sentinel://[[user]:password@]host[:port],host[:port][/master]` or
 * `redis-cluster://[[user]:password@]host[:port],host[:port]`. What stands alone before the `@` is
 * the password, as it is for redis-cli. Credentials and the master's name are percent-encoded.
 * @returns undefined for everything else
 */
export const parseRedisUrl = (url: string): RedisServers | undefined => {
  const [, scheme, userinfo, list = '', path = ''] = form.exec(url) ?? []
  const kind = kinds[scheme ?? '']
  const credentials = parseCredentials(userinfo)
  if (kind === undefined || credentials === undefined) return undefined
  const nodes = parseNodes(list, kind === 'sentinel' ? 26_379 : 6379)
  const target = parsePath(kind, path)
  if (nodes === undefined || target === undefined) return undefined
  if (kind === 'single' && nodes.length > 1) return undefined
  return { kind, nodes, tls: scheme === 'rediss', ...credentials, ...target }
}

const kinds: Readonly<Record<string, RedisServers['kind']>> = {
  redis: 'single',
  rediss: 'single',
  'redis-sentinel': 'sentinel',
  'redis-cluster': 'cluster',
}

const parseNodes = (list: string, port: number): RedisNode[] | undefined => {
  const nodes = list.split(',').map((text) => parseNode(text, port))
  return nodes.every((node) => node !== undefined) ? nodes : undefined
}

const parseNode = (text: string, byDefault: number): RedisNode | undefined => {
  if (!URL.canParse(`redis://${text}`)) return undefined
  const { hostname, port } = new URL(`redis://${text}`)
  if (hostname === '' || port === '0') return undefined
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? byDefault : Number(port),
  }
}

type Credentials = Pick<RedisServers, 'username' | 'password'>

const parseCredentials = (userinfo = ''): Credentials | undefined => {
  const colon = userinfo.indexOf(':')
  const username = decode(userinfo.slice(0, Math.max(colon, 0)))
  const password = decode(userinfo.slice(colon + 1))
  if (username === undefined || password === undefined) return undefined
  // Redis takes no name without a password.
  if (password === '') return username === '' ? {} : undefined
  return username === '' ? { password } : { username, password }
}

type Target = Pick<RedisServers, 'database' | 'masterName'>

const parsePath = (kind: RedisServers['kind'], path: string): Target | undefined => {
  const masterName = kind === 'sentinel' ? decode(path) : ''
  if (masterName === undefined) return undefined
  if (kind === 'sentinel') return { database: 0, masterName: masterName || 'mymaster' }
  if (!/^\d{0,9}$/.test(path)) return undefined
  const database = Number(path)
  return kind === 'cluster' && database !== 0 ? undefined : { database, masterName }
}

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
