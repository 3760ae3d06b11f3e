import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, expect, test } from '@jest/globals'
import { startProgram, stopPrograms } from './support/program.ts'

afterAll(stopPrograms)

test("README's walkthrough downloads, backtests, follows and reads, as printed", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const block = /<!-- walkthrough[^\n]*\n```sh\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const program = await startProgram({ KTRDR_ENABLE_EXERCISE: 'false' })
  const { stdout } = await promisify(execFile)('sh', ['-euc', block], {
    env: { PATH: process.env.PATH ?? '', KTRDR_URL: program.url },
    timeout: 60_000,
    maxBuffer: 64 * 1_048_576,
  })
  const said = [
    /"status":"completed"/,
    /^event: ?snapshot$/m,
    /^event: ?status$/m,
    /^trade_id,symbol,side,/m,
    /"total_return_fraction":-?\d/,
    /"columns":\{"time":\["2013-/,
  ]
  expect(said.filter(pattern => !pattern.test(stdout))).toEqual([])
})
