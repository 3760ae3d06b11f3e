import { Problem } from '../problems.ts'
import { parseStrategy } from '../strategy/parse.ts'
import type { Rooms } from './spec.ts'

/** How an operation is told which strategy to run. */
export type StrategyChoice = {
  readonly strategy?: string
  readonly strategy_yaml?: string
  /** Only the operation `backtesting` runs one of these, and that without asking here. */
  readonly model?: string
  readonly ensemble?: unknown
}

/**
 * The strategy an operation was given by name or as text, checked.
 * @throws {Problem} 'params-invalid' unless exactly one is given, 'strategy-not-found', 'strategy-invalid'
 */
export async function readChosenStrategy(
  choice: StrategyChoice,
  rooms: Pick<Rooms, 'strategies'>,
): Promise<ReturnType<typeof parseStrategy> & { readonly yaml: string }> {
  for (const name of ['model', 'ensemble'] as const) if (choice[name] !== undefined) throw modelRefused(name)
  const yaml = await textOf(choice, rooms)
  const parsed = parseStrategy(yaml)
  const { name } = parsed.strategy
  if (choice.strategy === undefined || choice.strategy === name) return { ...parsed, yaml }
  const message = `the file is ${choice.strategy}.yaml, but the strategy's name is '${name}'`
  throw new Problem('strategy-invalid', message, {
    errors: [{ pointer: '/name', code: 'name_mismatch', message }],
  })
}

async function textOf(
  { strategy, strategy_yaml: yaml }: StrategyChoice,
  rooms: Pick<Rooms, 'strategies'>,
): Promise<string> {
  if ((strategy === undefined) === (yaml === undefined)) {
    const message = `give either strategy or strategy_yaml, not ${strategy === undefined ? 'neither' : 'both'}`
    const code = strategy === undefined ? 'required' : 'not_allowed'
    throw new Problem('params-invalid', message, {
      hint: 'GET /api/v1/strategies lists the names; strategy_yaml takes the text itself.',
      errors: ['strategy', 'strategy_yaml'].map(name => ({ pointer: `/body/params/${name}`, code, message })),
    })
  }
  if (strategy === undefined) return yaml ?? ''
  const file = await rooms.strategies.get(strategy)
  if (file !== null) return file.yaml
  const message = `there is no strategy '${strategy}'`
  throw await rooms.strategies.notFound(strategy, [
    { pointer: '/body/params/strategy', code: 'unknown', message },
  ])
}

function modelRefused(name: string): Problem {
  const message = 'strategies with rules only are run here: a model is not taken'
  return new Problem('params-invalid', message, {
    hint: 'The operation backtesting runs models.',
    errors: [{ pointer: `/body/params/${name}`, code: 'not_allowed', message }],
  })
}
