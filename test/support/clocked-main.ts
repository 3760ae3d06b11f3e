import { startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'

/** The program with a clock that a test sets: it starts at CLOCK_START (RFC 3339) and goes on from there. */
const { CLOCK_START = '', ...environment } = process.env
const startMs = Date.parse(CLOCK_START) - performance.now()
const { config } = readConfig(environment)
const clock = { now: () => Math.round(startMs + performance.now()) }
const app = await startApp(config, { clock, log: createLog(config.logLevel) })
process.stderr.write(`ktrdr is ready at ${app.url}\n  stop         \n`)
