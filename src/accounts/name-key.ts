// UTF-16 code units. Names have 254 at most, and no spelling of one is four times as long.
const longestSpelling = 1024

/**
 * The form in which two spellings of one name are equal: compatibility characters and case folded.
 * Done here rather than in SQL, so that it does not depend on the collation of a database. What is
 * too long to be a name stays as it is: folding takes quadratic time, and anybody may sign in.
 */
export const foldName = (name: string): string =>
  name.length > longestSpelling ? name : unifySigma(name.normalize('NFKC').toLowerCase())

// Σ becomes ς or σ by what stands around it; two names that differ in that alone are one.
const unifySigma = (lowerCase: string): string => lowerCase.replaceAll('ς', 'σ')

/** Key of an email address, as it is stored beside it. White space around it does not count. */
export const emailKey = (email: string): string => foldName(email.trim())

/** Key of a username, as it is stored beside it. */
export const usernameKey = (username: string): string => foldName(username.trim())
