import type { Test } from 'tap'
import type { KeyOptions } from '../../src/deps/keys.ts'
import type { LogoutOptions } from '../../src/deps/logout-delivery.ts'
import { startService, type TestService } from './service.ts'

/** Two nodes of one service: one database, nothing else shared. */
export const startNodes = async (
  t: Test,
  environment: Readonly<Record<string, string>> = {},
  options: KeyOptions & LogoutOptions = {},
): Promise<readonly [TestService, TestService]> => {
  const first = await startService(t, environment, options)
  const other = { ...environment, DATABASE_URL: first.databaseUrl }
  const second = await startService(t, other, options)
  return [first, second]
}

export type Answer = { readonly status: number; readonly body: Record<string, unknown> }

export const refresh = async ({ app }: TestService, refreshToken: string): Promise<Answer> => {
  const response = await app.inject({
    method: 'POST',
    url: '/refresh',
    payload: { refresh_token: refreshToken },
  })
  return { status: response.statusCode, body: response.json() }
}

/** The refresh token of a successful answer. */
export const tokenOf = ({ status, body }: Answer): string => {
  if (status !== 200) throw new Error(`refresh failed: ${JSON.stringify(body)}`)
  return body.refresh_token as string
}

/** Whether our own endpoints accept the access token. */
export const isAccepted = async ({ app }: TestService, accessToken: string): Promise<boolean> => {
  const response = await app.inject({
    method: 'POST',
    url: '/auth/verify',
    payload: { token: accessToken },
  })
  return response.json<{ active: boolean }>().active
}
