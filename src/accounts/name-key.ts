/**
 * The form in which two spellings of one name are equal: compatibility characters and case folded.
 * Done here rather than in SQL, so that it does not depend on the collation of a database.
 */
export const foldName = (name: string): string => name.normalize('NFKC').toLowerCase()

/** Key of an email address, as it is stored beside it. White space around it does not count. */
export const emailKey = (email: string): string => foldName(email.trim())

/** Key of a username, as it is stored beside it. */
export const usernameKey = (username: string): string => foldName(username.trim())
