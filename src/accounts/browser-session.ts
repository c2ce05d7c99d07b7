/** A session of a person in this browser, which several clients share (single sign-on). */
export type BrowserSession = {
  /** UUID; `sid`. */
  readonly id: string
  readonly userId: string
  /** Shown in the account chooser. */
  readonly email: string
  readonly name: string | null
  /** When the person last proved who they are; the database's time, as precise as it is. */
  readonly authTime: Date
  readonly amr: readonly string[]
  readonly acr: string | null
  /** The person may do nothing but change the password; such a session answers no client. */
  readonly mustChangePassword: boolean
}
