import { resolve } from 'node:path'
import { BarsArchive } from '../../src/archive/bars.ts'
import { ModelLibrary } from '../../src/archive/model-library.ts'
import { StrategyLibrary } from '../../src/archive/strategies.ts'
import { readConfig } from '../../src/config.ts'
import { Calendars } from '../../src/market/calendars.ts'
import type { ServerFacts } from '../../src/operations/protocol.ts'
import type { Rooms } from '../../src/operations/spec.ts'
import { createPacing } from '../../src/vendors/pacing.ts'

/** What operation types look at while their parameters are checked, over one data folder. */
export function makeRooms(home: string): Rooms & { readonly strategies: StrategyLibrary } {
  const calendars = new Calendars()
  return {
    bars: new BarsArchive(home, calendars),
    strategies: new StrategyLibrary(home, resolve(import.meta.dirname, '../../examples/strategies')),
    models: new ModelLibrary(home),
    calendars,
  }
}

/** What a worker is told of a server with the configuration `environment`. */
export function serverFacts(home: string, environment: Readonly<Record<string, string>> = {}): ServerFacts {
  const { config } = readConfig(environment)
  return { home, vendors: config.vendors, calendars: config.calendars, pacing: createPacing() }
}
