import { EventEmitter } from 'node:events'
import type { Bus } from '../../revocation/bus.ts'

/** The bus of a single process. */
export const createMemoryBus = (): Bus => {
  const emitter = new EventEmitter()
  return {
    publish: (topic) => void emitter.emit(topic),
    subscribe: (topic, listener) => void emitter.on(topic, listener),
    problem: () => undefined,
    close: async () => void emitter.removeAllListeners(),
  }
}
