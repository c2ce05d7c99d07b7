/** How one claim is asked for (OpenID Connect Core §5.5.1); null: voluntarily. */
export type ClaimRequest = {
  readonly essential?: boolean
  readonly value?: unknown
  readonly values?: readonly unknown[]
} | null

/** The parameter `claims` (OpenID Connect Core §5.5). */
export type ClaimsRequest = {
  readonly userinfo?: Readonly<Record<string, ClaimRequest>>
  readonly id_token?: Readonly<Record<string, ClaimRequest>>
}
