import { PGlite } from '@electric-sql/pglite'
import { translateFailure } from './failure.ts'

/**
 * PGlite that ends with its first PANIC, such as a write-ahead log that cannot be written on a full
 * disk. A server would restart from its log; PGlite's next statement would never return and hold
 * the whole process. What was committed is there when the folder is opened again. Its failures are
 * those of the service, as on a connection to a server.
 */
export class EndingPGlite extends PGlite {
  #panic: Error | undefined
  #told = Promise.withResolvers<Error>()

  /** Settles with the PANIC; never when there is none. */
  get panic(): Promise<Error> {
    return this.#told.promise
  }

  override execProtocol(
    ...all: Parameters<PGlite['execProtocol']>
  ): ReturnType<PGlite['execProtocol']> {
    return this.#guard(() => super.execProtocol(...all))
  }

  override execProtocolStream(
    ...all: Parameters<PGlite['execProtocolStream']>
  ): ReturnType<PGlite['execProtocolStream']> {
    return this.#guard(() => super.execProtocolStream(...all))
  }

  override async close(): Promise<void> {
    // Its shutdown is a statement too, and writes a checkpoint.
    if (this.#panic === undefined) await super.close()
  }

  async #guard<T>(act: () => Promise<T>): Promise<T> {
    if (this.#panic !== undefined) throw translateFailure(this.#panic)
    try {
      return await act()
    } catch (error) {
      if (isPanic(error)) {
        this.#panic = error
        this.#told.resolve(error)
      }
      throw translateFailure(error)
    }
  }
}

const isPanic = (error: unknown): error is Error =>
  error instanceof Error &&
  (('severity' in error && error.severity === 'PANIC') || error.name === 'RuntimeError')
