/**
 * argon2id alone: threads that verify one password without a pause, and nothing else. For each
 * message with a duration it answers with the number of hashes.
 *
 *   argon2id.ts <threads> <PHC string> <password>
 */
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { verifySync } from '@node-rs/argon2'

/** How long to hash, and what came of it. */
export type HashOrder = { readonly durationMs: number }
export type HashReport = { readonly hashes: number; readonly elapsedMs: number }

if (isMainThread) await manage()
else work()

async function manage(): Promise<void> {
  const [threads, hash, password] = process.argv.slice(2)
  const workers = Array.from(
    { length: Number(threads) },
    () => new Worker(new URL(import.meta.url), { workerData: { hash, password } }),
  )
  process.on('message', async (order: HashOrder) => {
    const startedAt = performance.now()
    const counts = workers.map(async (worker) => {
      worker.postMessage(order)
      const [hashes] = (await once(worker, 'message')) as [number]
      return hashes
    })
    const hashes = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
    process.send?.({ hashes, elapsedMs: performance.now() - startedAt } satisfies HashReport)
  })
  await once(process, 'disconnect')
  process.exit(0)
}

function work(): void {
  const { hash, password } = workerData as { hash: string; password: string }
  parentPort?.on('message', ({ durationMs }: HashOrder) => {
    const until = performance.now() + durationMs
    let hashes = 0
    for (; performance.now() < until; hashes += 1) {
      if (!verifySync(hash, password)) throw new Error('the password is not that of the hash')
    }
    parentPort?.postMessage(hashes)
  })
}
