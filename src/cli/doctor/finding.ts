/** What a check has found, in words. */
export type Finding = {
  readonly check: string
  /** `warning`: it works, and yet somebody should look at it. */
  readonly status: 'ok' | 'warning' | 'failed'
  readonly message: string
  /** What to do about it; for all but `ok`. */
  readonly advice?: string
}

export const fine = (check: string, message: string): Finding => ({ check, status: 'ok', message })

export const warning = (check: string, message: string, advice: string): Finding => ({
  ...{ check, status: 'warning', message, advice },
})

export const failed = (check: string, message: string, advice: string): Finding => ({
  ...{ check, status: 'failed', message, advice },
})

/** An error's own words; what hangs on it beside them may be secret. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(reasonOf).join('; ')
  }
  return error.message
}
