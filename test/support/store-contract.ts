import type { Test } from 'tap'
import { onEverySqlBackend, type SqlBackend } from './sql-backends.ts'

type Rule = (t: Test, backend: SqlBackend) => Promise<unknown>

/**
 * Collects the rules of one store, to be run one after the other on each backend's one database.
 * @param clear empties before each rule what the one before it left
 */
export const storeContract = (
  name: string,
  clear: (backend: SqlBackend) => Promise<void> = async () => {},
) => {
  const rules: (readonly [title: string, rule: Rule])[] = []
  return {
    rule: (title: string, rule: Rule): void => {
      rules.push([title, rule])
    },
    run: (): void =>
      onEverySqlBackend(name, async (t, backend) => {
        for (const [title, rule] of rules) {
          await t.test(title, async (t) => {
            await clear(backend)
            await rule(t, backend)
          })
        }
      }),
  }
}
