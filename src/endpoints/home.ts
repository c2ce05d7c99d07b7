import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Deps } from '../deps.ts'
import { basePathOf } from '../plugins/base-path.ts'
import { pageHeaders } from '../plugins/security-headers.ts'
import { type HomeLink, homeDescription, homePage, homeStylesheet } from '../views/home-page.ts'

const linksFrom = (base: string): HomeLink[] => [
  {
    name: 'documentation',
    title: 'The API',
    href: `${base}/docs`,
    description: 'Every endpoint, to read and to try',
  },
  {
    name: 'metadata',
    title: 'Server metadata',
    href: `/.well-known/oauth-authorization-server${base}`,
    description: 'For OAuth clients: endpoints and what they support (RFC 8414)',
  },
  {
    name: 'keys',
    title: 'Public keys',
    href: `${base}/.well-known/jwks.json`,
    description: 'For services that verify tokens (JWK Set)',
  },
  {
    name: 'health',
    title: 'Health',
    href: '/health/ready',
    description: 'Whether the service and what it depends on work',
  },
]

const hidden = { schema: { hide: true } }

/** `GET /`: what this is and where to go, as a page, or as JSON for those who prefer that. */
export const home: FastifyPluginAsyncTypebox<Pick<Deps, 'config'>> = async (app, { config }) => {
  const base = basePathOf(config.issuer)
  const links = linksFrom(base)
  const page = homePage(config.issuer, `${base}/home.css`, links)
  const headers = pageHeaders({ 'img-src': 'data:' })
  const description = {
    name: 'Tessera',
    description: homeDescription,
    issuer: config.issuer,
    ...Object.fromEntries(links.map(({ name, href }) => [name, href])),
  }

  app.get('/', hidden, async (request, reply) => {
    reply.header('vary', 'Accept, Origin')
    if (prefersJson(request.headers.accept)) return description
    reply.headers(headers)
    return reply.type('text/html; charset=utf-8').send(page)
  })

  app.get('/home.css', hidden, async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').type('text/css').send(homeStylesheet),
  )
}

// RFC 9110 §12.5.1, as far as it can decide between the two forms of this page.
const prefersJson = (accept = ''): boolean =>
  qualityOf(accept, 'application/json') > Math.max(qualityOf(accept, 'text/html'), 0)

const qualityOf = (accept: string, type: string): number => {
  const ranges = accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim()))
  const range = ranges.find(([name]) => name === type)
  const weight = range?.find((parameter) => parameter.startsWith('q='))
  return range === undefined ? 0 : Number(weight?.slice(2) ?? 1) || 0
}
