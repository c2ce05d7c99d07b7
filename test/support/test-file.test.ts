import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runFolder, temporaryFolder } from './run-folder.ts'
import { runTestFile, testEnvironment } from './test-file.ts'

const passing = "console.log('TAP version 14\\nok 1 - holds\\n1..1')\n"

const cases: Record<string, { text: string; passed: number; failures: string[] }> = {
  'a file that passes': { text: passing, passed: 1, failures: [] },
  'a file that fails': {
    text: "console.log('TAP version 14\\nok 1 - holds\\nnot ok 2 - breaks\\n1..2')\nprocess.exitCode = 1",
    passed: 1,
    failures: ['breaks'],
  },
  'a failure inside a test, once': {
    text: "console.log('TAP version 14\\n# Subtest: rule\\n    not ok 1 - breaks\\n    1..1\\nnot ok 1 - rule\\n1..1')",
    passed: 0,
    failures: ['rule > breaks'],
  },
  'a skipped test as failed': {
    text: "console.log('TAP version 14\\nok 1 - later # SKIP no time\\n1..1')",
    passed: 0,
    failures: ['later (skipped)'],
  },
  'a file that does not load': {
    text: "import './nowhere.ts'",
    passed: 0,
    failures: ['ended with code 1'],
  },
  'a file that crashes after its tests': {
    text: `${passing}process.exitCode = 7`,
    passed: 1,
    failures: ['ended with code 7'],
  },
  'a file that is killed': {
    text: `${passing}process.kill(process.pid, 'SIGTERM')\nsetTimeout(() => {}, 60_000)`,
    passed: 1,
    failures: ['was ended by SIGTERM'],
  },
  'a file without a test': { text: 'export {}', passed: 0, failures: ['holds no test'] },
  'a file that leaves a process behind': {
    text: `import { spawn } from 'node:child_process'\n${passing}spawn('sleep', ['60']).unref()\nprocess.exit(0)`,
    passed: 1,
    failures: ['left processes running'],
  },
}

t.test('the runner counts', async (t) => {
  const folder = temporaryFolder('files')
  await Promise.all(
    Object.entries(cases).map(async ([name, { text, passed, failures }], index) => {
      const file = join(folder, `${index}.ts`)
      writeFileSync(file, text)
      const env = testEnvironment({})
      const { verdict } = await runTestFile(file, { env, timeoutMs: 60_000, folder: runFolder() })
      const titles = verdict.failures.map(({ title }) => title)
      t.same({ passed: verdict.passed, failures: titles }, { passed, failures }, name)
    }),
  )
})

t.test('the runner ends a file that does not end by itself', async (t) => {
  const file = join(temporaryFolder('files'), 'endless.ts')
  writeFileSync(file, `${passing}setInterval(() => {}, 60_000)`)
  const limits = { timeoutMs: 500, graceMs: 0, folder: runFolder() }
  const { verdict } = await runTestFile(file, { env: testEnvironment({}), ...limits })
  t.same(verdict, { passed: 1, failures: [{ title: 'took too long and was ended', details: '' }] })
})
