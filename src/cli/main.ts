#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { type Config, loadConfig } from '../config.ts'
import { runProgram } from './program.ts'

/** The command line `tessera`. */
const readConfig = (): Config => {
  const { PORT, ...variables } = process.env
  // Which port the service took when any was right does not matter here: nothing listens.
  return loadConfig(PORT?.trim() === '0' ? variables : process.env, (path) =>
    readFileSync(path, 'utf8'),
  )
}

// Whoever read the output has had enough (`| head`): what is being done is still done.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

process.exitCode = await runProgram({
  words: process.argv.slice(2),
  readConfig,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
