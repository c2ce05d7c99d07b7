import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import { firstPartyClientId } from '../clients/client.ts'
import type { Deps } from '../deps.ts'
import { basePathOf } from '../plugins/base-path.ts'
import { pageHeaders } from '../plugins/security-headers.ts'
import { documentationStylesheet } from '../views/documentation-stylesheet.ts'

/** Version of the API; the package's. */
export const apiVersion = '0.1.0'

/**
 * Describes in OpenAPI 3.1 all routes that are registered from now on. Addresses are relative, so
 * that the page works under whatever name it was opened.
 */
export const describeRoutes = async (app: FastifyInstance, issuer: string): Promise<void> => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tessera',
        version: apiVersion,
        description:
          'Signs people and services in, issues short-lived signed access tokens and rotating refresh tokens, and publishes its keys.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'Sign-in', description: 'Accounts and tokens of the first-party API' },
        { name: 'Account', description: 'What a person sees and changes of the own account' },
        { name: 'Sessions', description: 'Where a person is signed in' },
        { name: 'OAuth', description: 'For OAuth clients and resource servers' },
        { name: 'Administration', description: 'Each route names the permission that it needs' },
        { name: 'Service', description: 'Keys, metadata, health' },
      ],
      components: {
        securitySchemes: {
          bearer: {
            type: 'oauth2',
            description:
              'An access token of a person, who signs in on the page of the service. Open this page by the address of the issuer for it.',
            flows: {
              authorizationCode: {
                authorizationUrl: `${basePathOf(issuer)}/authorize`,
                tokenUrl: `${basePathOf(issuer)}/token`,
                scopes: {
                  account: 'The own account',
                  admin: 'The admin API, as far as the roles of the account permit',
                },
              },
            },
          },
          cookie: {
            type: 'apiKey',
            in: 'cookie',
            name: 'tessera_access',
            description:
              'The access token in a cookie; `__Host-` stands before its name with an https issuer, `__Secure-` where the cookie has a domain',
          },
          csrf: {
            type: 'apiKey',
            in: 'header',
            name: 'X-CSRF-Token',
            description: 'Needed beside a cookie by whatever is not GET',
          },
          client: {
            type: 'http',
            scheme: 'basic',
            description: 'A registered client: its client_id and client_secret',
          },
        },
      },
    },
    refResolver: { buildLocalReference: ({ $id }) => String($id) },
    transform: ({ schema, url, route }) => ({
      schema: {
        operationId: toOperationId([route.method].flat()[0] ?? '', url),
        ...schema,
        ...describeResponses(schema?.response, route),
      },
      url,
    }),
  })
}

/** Adds the answer of a rate limit, which every route can give that is not exempt. */
const describeResponses = (response: unknown, { config }: RouteOptions): { response?: object } => {
  if (typeof response !== 'object' || config?.rateLimit === false) return {}
  const [mediaType, schema] =
    config?.errorFormat === 'oauth'
      ? ['application/json', 'OAuthError']
      : ['application/problem+json', 'Problem']
  const limited = {
    description: 'Too many requests; try again after Retry-After',
    content: { [mediaType]: { schema: Type.Ref(schema) } },
  }
  return { response: { 429: limited, ...response } }
}

/** Generated clients name their functions so: `POST /auth/logout-all` is `postAuthLogoutAll`. */
const toOperationId = (method: string, url: string): string =>
  [method, ...url.split(/[^A-Za-z]+/)]
    .filter((word) => word !== '')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join('')
    .replace(/^./, (letter) => letter.toLowerCase())

/** `GET /docs`: the description as a page that can be tried out. All its files are local. */
export const documentation: FastifyPluginAsyncTypebox<Pick<Deps, 'config'>> = async (
  app,
  { config },
) => {
  // The page sets styles and small images of its own by attribute; it runs only local scripts.
  const headers = pageHeaders({
    'img-src': "'self' data:",
    'style-src': "'self' 'unsafe-inline'",
  })
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, rateLimit: false }
  })
  app.addHook('onSend', async (_request, reply, payload) => {
    if (!String(reply.getHeader('content-type')).startsWith('text/html')) return payload
    reply.headers(headers)
    // A file: the page that people come back to from the sign-in.
    if (typeof payload !== 'string') return payload
    return payload.replace('<head>', '<head><meta name="viewport" content="width=device-width">')
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: basePathOf(config.issuer),
    theme: {
      title: 'Tessera API',
      css: [{ filename: 'tessera.css', content: documentationStylesheet }],
    },
    uiConfig: {
      layout: 'BaseLayout',
      docExpansion: 'list',
      // It would keep the token in the storage of the browser.
      persistAuthorization: false,
    },
    initOAuth: {
      clientId: firstPartyClientId,
      scopes: 'account admin',
      usePkceWithAuthorizationCodeGrant: true,
    },
  })
}
