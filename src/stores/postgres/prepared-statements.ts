/** From this use on a statement has a name: what is run once must not stay on every connection. */
const worthNaming = 3
/** Of names, each of which costs every connection some memory of the server. */
const mostNames = 200
/** Of texts whose uses are counted: some carry as many parameters as there are rows to write. */
const mostTexts = 2000

/**
 * Names for the statements that are run again and again, so that the server parses and plans each
 * once for a connection instead of every time, which takes it longer than to run them.
 */
export class StatementNames {
  #begun = false
  #given = 0
  readonly #uses = new Map<string, number>()
  readonly #names = new Map<string, string>()

  /** Until then no statement has a name. */
  begin(): void {
    this.#begun = true
  }

  /** @returns undefined for a text that has come too seldom. */
  nameOf(text: string): string | undefined {
    if (!this.#begun) return undefined
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= mostNames) return known
    const uses = (this.#uses.get(text) ?? 0) + 1
    if (uses < worthNaming) {
      if (this.#uses.size >= mostTexts) this.#uses.clear()
      this.#uses.set(text, uses)
      return undefined
    }
    this.#uses.delete(text)
    return this.#give(text)
  }

  /** A table has changed beneath what was prepared under the name: the next use prepares it anew. */
  renew(text: string, outdated: string): void {
    if (this.#names.get(text) === outdated) this.#give(text)
  }

  #give(text: string): string {
    this.#given += 1
    const name = `tessera_${this.#given}`
    this.#names.set(text, name)
    return name
  }
}
