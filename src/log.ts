import winston from 'winston'

/** Log lines are events: a fixed name and the ids it is about. */
export type Log = {
  debug(event: string, fields?: Record<string, unknown>): void
  info(event: string, fields?: Record<string, unknown>): void
  warn(event: string, fields?: Record<string, unknown>): void
  error(event: string, fields?: Record<string, unknown>): void
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** One JSON object per line on standard output, so that standard error stays for people. */
export function createLog(level: LogLevel): Log {
  const logger = winston.createLogger({
    level: level === 'silent' ? 'error' : level,
    silent: level === 'silent',
    format: winston.format.combine(
      winston.format(info => ({ time: new Date().toISOString(), ...info }))(),
      winston.format.json(),
    ),
    transports: [new winston.transports.Console({ stderrLevels: [], forceConsole: false })],
  })
  const write =
    (at: 'debug' | 'info' | 'warn' | 'error') =>
    (event: string, fields: Record<string, unknown> = {}) => {
      logger.log({ level: at, message: event, ...fields })
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** An error as fields of a log line. Stacks go to the log, never to a client. */
export function errorFields(error: unknown): { error: string; stack: string | undefined } {
  return error instanceof Error
    ? { error: `${error.name}: ${error.message}`, stack: error.stack }
    : { error: String(error), stack: undefined }
}
