import { hash } from 'node:crypto'

/** Whether a text is a verifier (RFC 7636 §4.1): 43 to 128 unreserved characters. */
export const isCodeVerifier = (text: string): boolean => /^[A-Za-z0-9._~-]{43,128}$/.test(text)

/** Whether a text can be an S256 challenge (RFC 7636 §4.2): a SHA-256 in base64url. */
export const isCodeChallenge = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text)

/** The S256 challenge of a verifier (RFC 7636 §4.2). */
export const toCodeChallenge = (verifier: string): string => hash('sha256', verifier, 'base64url')
