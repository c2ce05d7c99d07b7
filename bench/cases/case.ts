import type { Config } from '../../src/config.ts'
import type { Sample } from '../load/sample.ts'
import type { ServiceProcess } from '../processes/service.ts'
import type { Registrations } from '../setup/registrations.ts'
import type { Seed } from '../setup/seed.ts'

/** What cases measure, and what they need for it. */
export type Scene = {
  readonly service: ServiceProcess
  /** The service's settings. */
  readonly config: Config
  readonly registrations: Registrations
  readonly seed: Seed
  /** A copy of the service's database, for twins. */
  readonly twinDatabaseUrl: string
  readonly connections: number
}

/** For how long one side is put under load. */
export type Phase = { readonly warmUpMs: number; readonly durationMs: number }

/** The service beside what the machine allows at most for the same work. */
export type Case = {
  readonly name: string
  /** What the twin does. */
  readonly limit: string
  /** Least share of the twin's rate that the service is to reach. */
  readonly budget?: number
  service(phase: Phase): Promise<Sample>
  twin(phase: Phase): Promise<Sample>
  close(): Promise<void>
}

/** Starts what the case needs beside the service. */
export type OpenCase = (scene: Scene) => Promise<Case>
