/** One thing that is asked for, beyond scope (RFC 9396 §2). The type says which members it has. */
export type AuthorizationDetail = { readonly type: string; readonly [member: string]: unknown }
