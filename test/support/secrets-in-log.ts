/** What tokens, secrets, hashes and the passwords of the tests look like. */
const secrets = [
  /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]/,
  /trt_[\w-]{20}/,
  /tcs_[\w-]{20}/,
  /\$argon2/,
  /\b(?:Basic|Bearer) [\w+/=-]{8}/,
  /correct horse/,
]

/**
 * Run over the log of every service that a test starts, whatever it was made to do: passwords,
 * tokens, secrets and cookies are never in a log.
 * @throws {Error} with the first line that holds one, which is part of a test and no real secret
 */
export const refuseSecrets = (log: readonly string[]): void => {
  const line = log.find((text) => secrets.some((secret) => secret.test(text)))
  if (line !== undefined) throw new Error(`There is a secret in the log: ${line}`)
}
