import { number, oneOf, text } from './setting-types.ts'

/** Keys, and what they sign. */
export const tokenVariables = {
  KEY_ENCRYPTION_KEY: text(
    '32 bytes in base64 that seal the private keys at rest; several, comma-separated, newest first',
    { example: 'the output of: openssl rand -base64 32', secret: true },
  ),
  KEY_ENCRYPTION_KEY_FILE: text(
    'File that holds what KEY_ENCRYPTION_KEY would; without either, and not in production, one is made in keys/',
    { example: '/run/secrets/key-encryption-key' },
  ),
  KEY_ROTATION_DAYS: number(
    30,
    'How long a key signs before the next one follows by itself, at least a day; 0: only by command',
    0,
    3650,
  ),
  ACCESS_TOKEN_TTL_SECONDS: number(
    900,
    'Lifetime of access tokens, unless their audience sets its own',
    1,
    86_400,
  ),
  REFRESH_TOKEN_TTL_SECONDS: number(
    2_592_000,
    'Absolute lifetime of a refresh-token family (30 days)',
  ),
  REFRESH_IDLE_SECONDS: number(604_800, 'A family unused for so long ends (7 days)'),
  REFRESH_GRACE_SECONDS: number(
    30,
    'Window in which a retried refresh is answered again; 0: strict',
    0,
    600,
  ),
  DPOP_NONCES: oneOf(
    ['never', 'tokens', 'always'],
    'tokens',
    'Where a DPoP proof needs a nonce of this service: nowhere, where tokens are got, or at every endpoint',
  ),
  DEFAULT_AUDIENCE: text('Audience of tokens for which none is asked; default ISSUER', {
    example: 'https://api.example.com',
  }),
}
