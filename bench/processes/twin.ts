import { once } from 'node:events'
import { type Program, startProgram } from './program.ts'

/** A bare-limit twin of the service, with what it does in its name. */
export type TwinProcess = { readonly port: number; stop(): Promise<void> }

type TwinName = 'bare' | 'signed' | 'updated'

/** Starts a twin that serves HTTP. @param args as bench/twins/<name>.ts wants them */
export const startTwin = async (
  name: TwinName,
  args: readonly string[] = [],
): Promise<TwinProcess> => {
  const program = startTwinProgram(name, args)
  const { port } = await nextMessage<{ port: number }>(program)
  return { port, stop: program.stop }
}

/** Starts any twin; it talks by messages. */
export const startTwinProgram = (name: TwinName | 'argon2id', args: readonly string[]): Program =>
  startProgram(`bench/twins/${name}.ts`, { args, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })

/** @throws {Error} when the program ends instead of saying something. */
export const nextMessage = async <T>({ child }: Program): Promise<T> => {
  const answer = once(child, 'message')
  const ended = once(child, 'exit').then(() => {
    throw new Error('a twin ended instead of answering')
  })
  const [message] = await Promise.race([answer, ended])
  return message as T
}
