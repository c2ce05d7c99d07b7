import { createHmac } from 'node:crypto'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Alert } from './alert.ts'

export type WebhookMessage = {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What came of it; a receiver that answers 2xx has taken it. */
export type WebhookOutcome =
  | { readonly delivered: true }
  | { readonly delivered: false; readonly reason: string }

/**
 * An alert as a signed message (Standard Webhooks 1.0): `v1` is HMAC-SHA-256 over id, time and body.
 * @param keys newest first; one signature for each, so that a receiver may change over
 */
export const signAlert = (
  { id, rule, raisedAt, facts }: Alert,
  issuer: string,
  keys: readonly Buffer[],
  now: Date,
): WebhookMessage => {
  const body = JSON.stringify({
    type: 'alert.raised',
    timestamp: raisedAt.toISOString(),
    data: { issuer, rule, severity: 'critical', ...facts },
  })
  const timestamp = String(Math.floor(now.getTime() / 1000))
  const signatures = keys.map(
    (key) =>
      `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  )
  return {
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Tessera',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.join(' '),
    },
    body,
  }
}

/**
 * Posts to an address that only the operator can name. Follows no redirect, reads nothing but the
 * status: a receiver cannot lead it elsewhere, keep it or fill its memory. Never rejects.
 * @param timeoutMs for all of it, name resolution and connection included
 */
export const postWebhook = (
  url: URL,
  { headers, body }: WebhookMessage,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<WebhookOutcome> =>
  new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      // A connection of its own: one that the receiver has left hanging is not used again.
      agent: false,
      signal: AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]),
    })
    request.on('response', (response) => {
      const { statusCode = 0 } = response
      resolve(
        statusCode >= 200 && statusCode < 300
          ? { delivered: true }
          : { delivered: false, reason: `the receiver answered ${statusCode}` },
      )
      response.on('error', () => {})
      response.destroy()
    })
    request.on('error', (error) => resolve({ delivered: false, reason: reasonOf(error) }))
    request.end(body)
  })

const reasonOf = (error: Error): string =>
  error.name === 'AbortError' || error.name === 'TimeoutError'
    ? 'the receiver did not answer in time'
    : `the receiver could not be reached (${'code' in error ? error.code : error.name})`
