#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { loadConfig } from '../config.ts'
import { runProgram } from './program.ts'

/** The command line `tessera`. */
process.exitCode = await runProgram({
  words: process.argv.slice(2),
  readConfig: () => loadConfig(process.env, (path) => readFileSync(path, 'utf8')),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
