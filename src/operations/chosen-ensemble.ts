import type { KnownModel } from '../archive/model-library.ts'
import type { ModelManifest } from '../archive/model-manifest.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { decidesTrades } from '../training/model-signals.ts'
import type { TradedStrategy } from './backtest-config.ts'
import { fault } from './backtest-faults.ts'
import type { BacktestingParams, ChosenStrategy } from './backtesting.ts'
import { refuseOthers, refuseTimeframe, warningsOf } from './chosen-model.ts'
import type { Rooms } from './spec.ts'

type Requested = components['schemas']['Ensemble']
/** As the validator hands it on: defaults filled in. */
export type Ensemble = Omit<Requested, 'composition'> & {
  readonly composition: Required<Requested['composition']>
}

/** The regime that holds where the gate believes in none. */
export const unclearRegime = 'volatile'

/**
 * The ensemble a backtest was given, checked as far as the manifests of its models tell.
 * @throws {Problem} 'model-not-found', 'model-damaged'; 'params-invalid' when the models do not go together
 */
export async function readChosenEnsemble(
  params: BacktestingParams & { readonly ensemble: Requested },
  { models }: Rooms,
): Promise<ChosenStrategy> {
  refuseOthers(params, 'ensemble')
  const ensemble = params.ensemble as Ensemble
  const known = new Map<string, KnownModel>()
  for (const [key, { model }] of Object.entries(ensemble.models)) known.set(key, await models.get(model))
  const gate = gateOf(ensemble, known)
  const members = membersOf(ensemble, known)
  const timeframe = gate.manifest.pipeline.base_timeframe
  const used = [gate, ...members]
  for (const { manifest, model_id } of used) {
    const base = manifest.pipeline.base_timeframe
    if (base !== timeframe)
      throw refused('models', `${model_id} answers on bars of ${base}, the gate on bars of ${timeframe}`)
  }
  refuseTimeframe(params, gate)
  return {
    strategy: tradedEnsemble(ensemble),
    // JSON is YAML.
    yaml: `${JSON.stringify(ensemble, null, 2)}\n`,
    warnings: [...unused(ensemble), ...new Set(used.flatMap(model => warningsOf(params, model)))],
    symbols: gate.manifest.symbols,
    timeframe,
    others: otherTimeframes(used.map(({ manifest }) => manifest)),
  }
}

/** How what an ensemble decides is traded. */
export function tradedEnsemble({ name, composition }: Ensemble): TradedStrategy & { kind: 'model' } {
  const { min_signal_separation } = composition
  return { kind: 'model', name, decisions: { filters: { min_signal_separation } } }
}

/** Every timeframe that models of one base read beside it, each once. */
export function otherTimeframes(manifests: readonly Pick<ModelManifest, 'timeframes'>[]): Timeframe[] {
  return [...new Set(manifests.flatMap(({ timeframes }) => timeframes.slice(1)))]
}

/** The keys of the models that rules name, each once, by regime. */
export function memberKeys({ composition }: Ensemble): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(composition.rules).flatMap(([regime, rule]) =>
      'model' in rule ? [[regime, rule.model] as const] : [],
    ),
  )
}

function gateOf({ composition }: Ensemble, known: ReadonlyMap<string, KnownModel>): KnownModel {
  const { gate_model: key } = composition
  const gate = known.get(key)
  if (gate === undefined) throw refused('composition/gate_model', `there is no model '${key}' in models`)
  const { output } = gate.manifest
  if (output.kind === 'classification' && output.classes.includes(unclearRegime)) return gate
  throw refused('composition/gate_model', `${gate.model_id} does not tell regimes apart`)
}

function membersOf(ensemble: Ensemble, known: ReadonlyMap<string, KnownModel>): KnownModel[] {
  return [...memberKeys(ensemble)].map(([regime, key]) => {
    const field = `composition/rules/${regime}/model`
    const member = known.get(key)
    if (member === undefined) throw refused(field, `there is no model '${key}' in models`)
    if (!decidesTrades(member.manifest)) throw refused(field, `${member.model_id} makes no trades`)
    return member
  })
}

function unused(ensemble: Ensemble): string[] {
  const used = new Set([ensemble.composition.gate_model, ...memberKeys(ensemble).values()])
  return Object.keys(ensemble.models).flatMap(key =>
    used.has(key) ? [] : [`The model '${key}' of the ensemble is not used.`],
  )
}

function refused(field: string, message: string): Problem {
  return new Problem('params-invalid', message, { errors: [fault(`ensemble/${field}`, message)] })
}
