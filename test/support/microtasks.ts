/**
 * Lets everything go on that can without the event loop: whatever is then still undone waits for
 * something outside, such as a thread.
 */
export const drainMicrotasks = async (): Promise<void> => {
  for (let turn = 0; turn < 1000; turn += 1) await undefined
}
