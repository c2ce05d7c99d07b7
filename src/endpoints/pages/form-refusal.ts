import { Problem } from '../../oauth/problem.ts'
import type { PageError } from '../../views/page-data.ts'

/** Why a form is shown again, with what the person can mend. */
export type FormRefusal = {
  readonly error: PageError
  readonly status: number
  /** Seconds. */
  readonly retryAfterSeconds?: number | undefined
}

export const missingField: FormRefusal = { error: 'missing_field', status: 400 }

const mendable = [
  ...(['email_taken', 'username_taken', 'password_too_common'] as const),
  ...(['wrong_password', 'too_many_attempts'] as const),
]

const fieldErrors: Readonly<Record<string, PageError>> = {
  email: 'email_form',
  name: 'name_form',
  password: 'password_length',
}

/** Does what a form asks for. @returns what it is refused for, where the person can mend that. */
export const attempt = async <Done extends object>(
  act: () => Promise<Done>,
): Promise<{ readonly done: Done } | { readonly refusal: FormRefusal }> => {
  try {
    return { done: await act() }
  } catch (error) {
    const refusal = error instanceof Problem ? toRefusal(error) : undefined
    if (refusal === undefined) throw error
    return { refusal }
  }
}

const toRefusal = ({ code, status, options }: Problem): FormRefusal | undefined => {
  const known = mendable.find((each) => each === code)
  if (known !== undefined) {
    return { error: known, status, retryAfterSeconds: options.retryAfterSeconds }
  }
  const [wrong] = code === 'validation' ? (options.fields ?? []) : []
  if (wrong === undefined) return undefined
  if (wrong.field === 'new_password') {
    const isSame = wrong.message.startsWith('must differ')
    return { error: isSame ? 'password_same' : 'password_length', status }
  }
  const error = fieldErrors[wrong.field]
  return error && { error, status }
}
