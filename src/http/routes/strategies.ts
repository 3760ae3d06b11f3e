import { readStrategy, type StrategyLibrary, type StrategyReading } from '../../archive/strategies.ts'
import type { components } from '../../openapi.gen.ts'
import { Problem } from '../../problems.ts'
import type { Some } from '../handlers.ts'

type Schemas = components['schemas']

/** Strategy files. */
export function strategyRoutes(
  library: StrategyLibrary,
): Some<'listStrategies' | 'getStrategy' | 'validateStrategy'> {
  return {
    listStrategies: async (_request, response) => {
      response.json({ items: await library.list() })
    },
    getStrategy: async (request, response) => {
      const file = await library.get(request.params.name)
      if (file === null)
        throw new Problem('strategy-not-found', `There is no strategy '${request.params.name}'.`)
      const { name, source, sha256, yaml } = file
      response.json({
        name,
        source,
        sha256,
        yaml,
        ...toJson(readStrategy(yaml, name)),
      } satisfies Schemas['StrategyDocument'])
    },
    validateStrategy: (request, response) => {
      const reading = readStrategy(request.body, null)
      const verdict = {
        valid: reading.strategy !== null,
        name: reading.strategy?.name ?? null,
        ...toJson(reading),
      }
      response.json(verdict satisfies Schemas['StrategyVerdict'])
    },
  }
}

function toJson({
  strategy,
  errors,
  warnings,
}: StrategyReading): Pick<Schemas['StrategyVerdict'], 'strategy' | 'errors' | 'warnings'> {
  return {
    strategy: strategy === null ? null : { ...strategy },
    errors: errors.map(error => ({ ...error })),
    warnings: [...warnings],
  }
}
