/** Ways back to the client (OAuth 2.0 Form Post Response Mode; JARM §2.3). Never a fragment. */
export const responseModes = ['query', 'form_post', 'jwt', 'query.jwt', 'form_post.jwt'] as const
export type ResponseMode = (typeof responseModes)[number]
