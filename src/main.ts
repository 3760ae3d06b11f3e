import { enableCompileCache, flushCompileCache } from 'node:module'
import type { App } from './app.ts'
import { compileCacheFolder } from './archive/layout.ts'
import { systemClock } from './clock.ts'
import { ConfigError, readConfig } from './config.ts'
import { createLog, errorFields } from './log.ts'

/** Signals that come closer together are one: a terminal and npm both pass on a single Ctrl-C. */
const sameSignalMs = 500

function configure() {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(78)
  }
}

function explainStart(error: unknown, config: { host: string; port: number; home: string }): string {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'EADDRINUSE')
    return `Port ${config.port} on ${config.host} is taken: stop the other program, or set KTRDR_PORT.`
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return `${config.home} cannot be written by user ${process.getuid?.() ?? '?'}: set KTRDR_HOME, or change its owner.`
  return errorFields(error).error
}

function stopOnSignals(app: App): void {
  let firstAt: number | null = null
  const onSignal = (signal: NodeJS.Signals) => {
    const now = performance.now()
    if (firstAt !== null) {
      if (now - firstAt > sameSignalMs) process.exit(signal === 'SIGINT' ? 130 : 143)
      return
    }
    firstAt = now
    process.stderr.write('Stopping: workers save their checkpoints. Once more to stop at once.\n')
    app.stop().then(
      () => process.exit(0),
      error => {
        log.error('stop.failed', errorFields(error))
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}

const { config, warnings } = configure()
const log = createLog(config.logLevel)
for (const warning of warnings) process.stderr.write(`Warning: ${warning}\n`)
try {
  // Compiled code is kept from start to start; only what is imported after this line profits.
  enableCompileCache(compileCacheFolder(config.home))
  const { startApp } = await import('./app.ts')
  const app = await startApp(config, { clock: systemClock, log })
  stopOnSignals(app)
  process.stderr.write(
    [
      `ktrdr is ready at ${app.url}`,
      `  API docs     ${app.url}/api/v1/docs/`,
      `  data folder  ${config.home}`,
      ...(config.databaseUrl === null
        ? []
        : [
            `  cluster      role ${config.role}, archive ${config.bucket === null ? config.archive : `s3://${config.bucket.bucket}/${config.bucket.prefix}`}`,
          ]),
      `  threads      ${config.threads}`,
      '  stop         Ctrl-C (work is saved and goes on at the next start)',
      '',
    ].join('\n'),
  )
  flushCompileCache() // now: a killed process keeps nothing
} catch (error) {
  process.stderr.write(`ktrdr could not start. ${explainStart(error, config)}\n`)
  log.error('start.failed', errorFields(error))
  process.exit(1)
}
