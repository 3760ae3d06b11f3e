import type { ModelManifest } from '../archive/model-manifest.ts'
import { readModel } from '../archive/models.ts'
import type { WarningContext } from '../backtest/warnings.ts'
import { ColumnCache } from '../features/column-cache.ts'
import type { ReadIndicator } from '../strategy/market-input.ts'
import { type DecidedMarket, decideOn, type MarketBars, readIndicators } from '../strategy/market-input.ts'
import { parseStrategy } from '../strategy/parse.ts'
import { requireRules } from '../strategy/strategy.ts'
import { routeSignals } from '../training/ensemble-signals.ts'
import { type ModelSignals, signalsOf } from '../training/model-signals.ts'
import { loadModel } from '../training/predictor.ts'
import type { TradedStrategy } from './backtest-config.ts'
import type { BacktestingResult, EffectiveBacktestingParams } from './backtesting.ts'
import {
  type Ensemble,
  memberKeys,
  otherTimeframes,
  tradedEnsemble,
  unclearRegime,
} from './chosen-ensemble.ts'
import { tradedModel } from './chosen-model.ts'
import { type PinnedMarket, readOthers, type Source } from './stored-markets.ts'

/** What decides in a backtest: rules or a model. */
export type Decider = {
  readonly strategy: TradedStrategy
  /** What it decides on a market. @param stored all of its bars  @param cut what of them the run may see */
  decide(stored: PinnedMarket, cut: MarketBars): DecidedMarket
  /** What was read, or answered, on the bars of a market that it has decided on. */
  readings(market: DecidedMarket): readonly ReadIndicator[]
  /** A sentence on a market it has decided on, if a reader should know something. */
  remark(market: DecidedMarket): string | null
  /** Which bars it has seen before. */
  readonly seen: Pick<WarningContext, 'training_range' | 'validation_range'>
  /** What the result says of the model. */
  readonly model: Pick<BacktestingResult, 'model'>
}

/** What a worker lends it. @param checkpoint a sign of life; throws to stop */
export type Desk = Source & { readonly checkpoint: () => void }

/** What is kept of the indicators, so that those of the artifact are the ones that were calculated for the run. */
const cacheBytes = 256 * 1_048_576

/** @param yaml of the strategy that was pinned, for rules; models bring their own */
export function decideBy(params: EffectiveBacktestingParams, yaml: string, desk: Desk): Decider {
  const { model, ensemble } = params
  if (ensemble !== undefined) return decideByEnsemble({ ...params, ensemble: ensemble as Ensemble }, desk)
  return model === undefined ? decideByRules(yaml, desk) : decideByModel({ ...params, model }, desk)
}

function decideByRules(yaml: string, { checkpoint }: Desk): Decider {
  const strategy = requireRules(parseStrategy(yaml).strategy)
  const cache = new ColumnCache(cacheBytes)
  return {
    strategy,
    decide: (_, cut) => decideOn(strategy, cut, { cache, checkpoint }),
    readings: ({ bars }) => readIndicators(strategy, bars, cache),
    remark: () => null,
    seen: { training_range: null },
    model: {},
  }
}

type WithModel = EffectiveBacktestingParams & { readonly model: string }

/** Answers on a whole market first, then decides. */
function decideByModel(params: WithModel, desk: Desk): Decider {
  const { model_id, manifest, served, strategy_yaml } = readModel(desk.server.home, params.model)
  const predictor = loadModel(served)
  const { base_timeframe } = manifest.pipeline
  const others = manifest.timeframes.slice(1)
  const history = historyOf(strategy_yaml)
  const outputs = new Map<string, ModelSignals['outputs']>()
  return {
    strategy: tradedModel(manifest),
    decide: ({ symbol }, cut) => {
      const k = params.symbols.indexOf(symbol)
      const bars = { ...readOthers(params, { others, k }, desk), [base_timeframe]: cut.bars }
      const prediction = predictor.predict({ symbol, bars }, cut.from, desk.checkpoint)
      const signals = signalsOf(prediction, served, history)
      outputs.set(symbol, signals.outputs)
      return { ...cut, signals }
    },
    readings: ({ symbol }) => outputs.get(symbol) ?? [],
    remark: market => remarkOn(market, outputs.get(market.symbol)?.[0]),
    seen: seenBy(params, [manifest]),
    model: { model: { model_id, trained: partOf(manifest, 'train') } },
  }
}

/** Bars before the first decision that the strategy of a model asks for. */
const historyOf = (yaml: string): number => parseStrategy(yaml).strategy.history_required

function remarkOn(
  { symbol, bars, from, signals }: DecidedMarket,
  answers: ReadIndicator | undefined,
): string | null {
  if (answers === undefined) return null
  const first = Math.max(from, signals.first_usable_bar)
  let missing = 0
  for (let i = first; i < bars.length; i++) if (Number.isNaN(answers.values[i] as number)) missing++
  if (missing === 0) return null
  return `${symbol}: ${missing} of the ${bars.length - first} bars after the warm-up decided nothing: a feature is missing on them, or the model needs more bars in a row.`
}

type WithEnsemble = EffectiveBacktestingParams & { readonly ensemble: Ensemble }

/** Lets every model answer on a whole market first, then the gate choose among their decisions. */
function decideByEnsemble(params: WithEnsemble, desk: Desk): Decider {
  const { ensemble } = params
  const { composition } = ensemble
  const keys = memberKeys(ensemble)
  const open = (key: string) => {
    const stored = readModel(desk.server.home, ensemble.models[key]?.model ?? '')
    const { manifest, served, strategy_yaml } = stored
    return { key, manifest, served, history: historyOf(strategy_yaml), predictor: loadModel(served) }
  }
  const gate = open(composition.gate_model)
  const members = [...new Set(keys.values())].map(open)
  const others = otherTimeframes([gate, ...members].map(({ manifest }) => manifest))
  const readings = new Map<string, readonly ReadIndicator[]>()
  return {
    strategy: tradedEnsemble(ensemble),
    decide: ({ symbol }, cut) => {
      const k = params.symbols.indexOf(symbol)
      const bars = { ...readOthers(params, { others, k }, desk), [params.timeframe]: cut.bars }
      const answer = ({ predictor }: typeof gate) =>
        predictor.predict({ symbol, bars }, cut.from, desk.checkpoint)
      const decided = new Map(
        members.map(member => [member.key, signalsOf(answer(member), member.served, member.history)]),
      )
      const answers = answer(gate)
      const signals = routeSignals(answers, {
        classes: 'classes' in gate.served.output ? gate.served.output.classes : [],
        firstBar: gate.history,
        threshold: composition.regime_threshold,
        otherwise: unclearRegime,
        stabilityBars: composition.stability_bars,
        closesAtTransition: composition.on_regime_transition === 'close_and_switch',
        members: Object.fromEntries([...keys].map(([regime, key]) => [regime, mustHave(decided, key)])),
      })
      const named = [[gate.key, signalsOf(answers, gate.served)] as const, ...decided]
      readings.set(symbol, [
        ...signals.outputs,
        ...named.flatMap(([key, { outputs }]) => prefixed(key, outputs)),
      ])
      return { ...cut, signals }
    },
    readings: ({ symbol }) => readings.get(symbol) ?? [],
    remark: market => remarkOn(market, readings.get(market.symbol)?.[1]),
    seen: seenBy(
      params,
      [gate, ...members].map(({ manifest }) => manifest),
    ),
    model: {},
  }
}

const prefixed = (key: string, outputs: readonly ReadIndicator[]) =>
  outputs.map(output => ({ ...output, name: `${key}.${output.name}` }))

function mustHave<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key)
  if (value === undefined) throw new TypeError(`the ensemble has not been checked: there is no ${key}`)
  return value
}

/** From the first bar to the last that any model has seen; of models of other symbols, none was. */
function seenBy(
  { symbols }: EffectiveBacktestingParams,
  manifests: readonly ModelManifest[],
): Decider['seen'] {
  const near = manifests.filter(manifest => symbols.some(symbol => manifest.symbols.includes(symbol)))
  const range = (part: 'train' | 'validation') => {
    const parts = near.filter(({ ranges }) => ranges[part] !== null).map(manifest => partOf(manifest, part))
    if (parts.length === 0) return null
    return {
      start: Math.min(
        ...parts.map(({ from }) => (from === null ? Number.NEGATIVE_INFINITY : Date.parse(from))),
      ),
      end: Math.max(...parts.map(({ to }) => (to === null ? Number.POSITIVE_INFINITY : Date.parse(to)))),
    }
  }
  return { training_range: range('train'), validation_range: range('validation') }
}

function partOf({ ranges }: ModelManifest, part: 'train' | 'validation') {
  const { from = null, to = null } = ranges[part] ?? {}
  return { from, to }
}
