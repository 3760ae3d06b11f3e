import type { KnownModel } from '../archive/model-library.ts'
import type { ModelManifest } from '../archive/model-manifest.ts'
import { Problem } from '../problems.ts'
import { decidesTrades } from '../training/model-signals.ts'
import type { TradedStrategy } from './backtest-config.ts'
import { fault } from './backtest-faults.ts'
import type { BacktestingParams, ChosenStrategy } from './backtesting.ts'
import { rangeOf } from './moment.ts'
import type { Rooms } from './spec.ts'

/** The request of a backtest that names a model. */
type WithModel = BacktestingParams & { readonly model: string }

/**
 * The model a backtest was given, checked as far as its manifest tells, with what should be known of it beforehand.
 * @throws {Problem} 'model-not-found', 'model-damaged'; 'params-invalid' when it makes no trades, or not on these bars
 */
export async function readChosenModel(params: WithModel, { models }: Rooms): Promise<ChosenStrategy> {
  refuseOthers(params, 'model')
  const known = await models.get(params.model)
  const { manifest } = known
  refuseUnfit(params, known)
  const [timeframe = manifest.pipeline.base_timeframe, ...others] = manifest.timeframes
  return {
    strategy: tradedModel(manifest),
    yaml: await models.strategyText(known.model_id),
    warnings: warningsOf(params, known),
    symbols: manifest.symbols,
    timeframe,
    others,
  }
}

/** How what a model decides is traded: as its training left it, whatever has become of the strategy. */
export function tradedModel({
  strategy: name,
  decisions,
}: ModelManifest): TradedStrategy & { kind: 'model' } {
  return { kind: 'model', name, decisions }
}

/** A model, or an ensemble, has its own strategies. @throws {Problem} 'params-invalid' when another is given */
export function refuseOthers(params: BacktestingParams, chosen: 'model' | 'ensemble'): void {
  const names = (['strategy', 'strategy_yaml', 'model', 'ensemble'] as const).filter(
    name => name !== chosen && params[name] !== undefined,
  )
  if (names.length === 0) return
  const message = 'give either a model or a strategy: a model has the strategy it was trained from'
  const errors = [...names, chosen].map(name => fault(name, message))
  throw new Problem('params-invalid', message, { errors })
}

function refuseUnfit(params: BacktestingParams, known: KnownModel): void {
  const { output, strategy } = known.manifest
  if (!decidesTrades(known.manifest) && output.kind === 'classification') {
    const message = `${known.model_id} (${strategy}) makes no trades: it tells ${output.classes.join(', ')} apart`
    throw refused(
      'model',
      message,
      'Give a model whose labels are trades: zigzag, triple_barrier or forward_return; one of regimes can be the gate of an ensemble.',
    )
  }
  refuseTimeframe(params, known)
}

/** @throws {Problem} 'params-invalid' when another timeframe is asked for than the model answers on */
export function refuseTimeframe(
  { timeframe }: Pick<BacktestingParams, 'timeframe'>,
  { model_id, manifest }: KnownModel,
): void {
  const base = manifest.pipeline.base_timeframe
  if (timeframe === undefined || timeframe === base) return
  const message = `${model_id} (${manifest.strategy}) answers on bars of ${base}, not of ${timeframe}`
  throw refused('timeframe', message, 'Leave timeframe out, or train the strategy on that timeframe.')
}

function refused(field: string, message: string, hint: string): Problem {
  return new Problem('params-invalid', message, { hint, errors: [fault(field, message)] })
}

/** What should be known of a model on the bars that are asked for. */
export function warningsOf(params: BacktestingParams, { model_id, manifest }: KnownModel): string[] {
  const warnings: string[] = []
  if (params.adjustment !== manifest.adjustment) {
    warnings.push(
      `${model_id} was trained on bars with adjustment ${manifest.adjustment} and answers on bars with adjustment ${params.adjustment}.`,
    )
  }
  const symbols = params.symbols ?? (params.symbol === undefined ? manifest.symbols : [params.symbol])
  const { train } = manifest.ranges
  const from = train?.from == null ? Number.NEGATIVE_INFINITY : Date.parse(train.from)
  const to = train?.to == null ? Number.POSITIVE_INFINITY : Date.parse(train.to)
  const { start, end } = rangeOf(params)
  if (end !== null && end <= from) {
    warnings.push(`${model_id} was trained on later bars, from ${train?.from} on: it knows what came after.`)
  } else if ((start ?? 0) < to && !symbols.some(symbol => manifest.symbols.includes(symbol))) {
    warnings.push(
      `${model_id} was trained on ${manifest.symbols.join(', ')} up to ${train?.to ?? 'the end'}: markets move together, so other symbols are not unseen before that.`,
    )
  }
  return warnings
}
