/** What changed; a hint to look at once, never the change itself. */
export const busTopics = ['revocations', 'keys', 'clients'] as const
export type BusTopic = (typeof busTopics)[number]

/**
 * Tells the nodes that something changed, as fast as it can and without a promise: every node also
 * polls. Hints carry no data, so a lost, repeated or forged one does no harm.
 */
export type Bus = {
  publish(topic: BusTopic): void
  subscribe(topic: BusTopic, listener: () => void): void
  /** Undefined while the shared medium answers, else what is wrong. */
  problem(): string | undefined
  close(): Promise<void>
}
