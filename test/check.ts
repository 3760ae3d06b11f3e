import { spawnSync } from 'node:child_process'

/** Everything that can be wrong without running the program: types, lint, contract, generated files. */
const steps: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['npx', '--no-install', 'tsc', '-p', '.']],
  ['lint', ['npx', '--no-install', 'biome', 'check', '--error-on-warnings', '.']],
  ['contract', ['npx', '--no-install', 'redocly', 'lint', 'openapi.yaml']],
  ['generated files', ['node', 'test/gen.ts', '--check']],
  ['kernels', ['node', 'test/gen-kernels.ts', '--check']],
  ['calendar tables', ['node', 'test/gen-calendars.ts', '--check']],
]

const failed = steps.filter(([name, [command = '', ...args]]) => {
  console.log(`# ${name}`)
  return (
    spawnSync(command, args, {
      stdio: 'inherit',
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', npm_config_loglevel: 'error' },
    }).status !== 0
  )
})
if (failed.length > 0) {
  console.log(`failed: ${failed.map(([name]) => name).join(', ')}`)
  process.exit(1)
}
