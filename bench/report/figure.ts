/** A bound that a figure is to keep. */
export type Budget = { readonly atLeast: number } | { readonly atMost: number }

/** One measured number. */
export type Figure = {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly budget?: Budget
  readonly note?: string
}

/** @returns undefined where there is no budget. */
export const isMet = (value: number, budget: Budget | undefined): boolean | undefined => {
  if (budget === undefined) return undefined
  return 'atLeast' in budget ? value >= budget.atLeast : value <= budget.atMost
}
