import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { BacktestingParams } from '../../src/operations/backtesting.ts'
import { Schemas } from '../../src/operations/schemas.ts'

const { components } = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8'))
const schemas = new Schemas(components)

/** Parameters of a backtest as the door hands them on: what is left out has the default of the contract. */
export function backtestingParams(given: object): BacktestingParams {
  return schemas.params('backtesting', { adjustment: 'none', ...given }) as BacktestingParams
}
