const maskWord = (word: string): string => `${[...word.slice(0, 2)][0] ?? ''}***`

/**
 * A typed name as the audit log may hold it: enough to recognise one's own mistake, not enough to
 * harvest addresses, or a password that somebody typed into the wrong field.
 * @returns such as `j***@e***`; a few characters at most.
 */
export const maskName = (typed: string): string =>
  typed.trim().split('@').slice(0, 2).map(maskWord).join('@')
