import { Type } from 'typebox'

/** `cnf`, as it is told to whoever asks about a token. */
export const confirmationSchema = Type.Object(
  {
    jkt: Type.Optional(Type.String({ description: 'Thumbprint of its DPoP key (RFC 9449 §6)' })),
    'x5t#S256': Type.Optional(
      Type.String({ description: 'Thumbprint of its client certificate (RFC 8705 §3)' }),
    ),
  },
  { description: 'The key that the token is bound to: accept it with a proof of that only' },
)
