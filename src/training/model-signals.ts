import type { ReadIndicator } from '../strategy/market-input.ts'
import type { Signals } from '../strategy/signals.ts'
import { decisionOf } from './decision.ts'
import type { Prediction } from './predictor.ts'
import type { ServedModel } from './served-model.ts'

/** What a model decides on the bars of one symbol, and the outputs it was decided from. */
export type ModelSignals = Signals & { readonly outputs: readonly ReadIndicator[] }

type Decided = Pick<ServedModel, 'output' | 'decisions'>

/**
 * The trades a model asks for. On each bar `decisionOf` says buy, sell or hold:
 *
 * - A buy enters long and exits short.
 * - A sell exits long, and enters short where shorts are allowed: `allow_short_from_flat` of classification; a
 *   regression always may. Against a long it then closes and enters short at one fill.
 * - A hold does nothing, and neither does a bar without an answer.
 *
 * Whether a position is held is for the engine to know: it ignores the entry of the side that is held, and keeps
 * entries `min_signal_separation` bars apart (`entry_separation_bars`). With `position_awareness: false` buys and sells
 * count as entries here already, whether or not they bring a position: the first one does, and after it each that
 * would enter and comes `min_signal_separation` bars after the last that did. Exits are never held back.
 *
 * What stands at bar t depends on the answers up to t only.
 * @param prediction of base bars, each answered from what its close knew
 * @param firstBar index of the first base bar on which a decision may be made
 */
export function signalsOf({ base, bar, outputs }: Prediction, served: Decided, firstBar = 0): ModelSignals {
  const { length } = base
  const signals = emptySignals(length)
  const width = widthOf(served)
  const decide = decisionOf(served)
  const shorts = mayShort(served)
  for (let row = 0; row < bar.length; row++) {
    const at = bar[row] as number
    if (at < firstBar) continue
    const decision = decide(outputs, row * width)
    if (decision === 'buy') {
      signals.enter_long[at] = 1
      signals.exit_short[at] = 1
    } else if (decision === 'sell') {
      signals.exit_long[at] = 1
      if (shorts) signals.enter_short[at] = 1
    }
  }
  const { position_awareness, filters } = served.decisions
  if (!position_awareness) keepApart(signals, filters.min_signal_separation)
  const first = bar.find(at => at >= firstBar) ?? length
  return { ...signals, first_usable_bar: first, outputs: outputColumns({ base, bar, outputs }, served) }
}

/** Whether a model's answers are trades: regimes and contexts are not. */
export function decidesTrades({ output }: Pick<ServedModel, 'output'>): boolean {
  return output.kind === 'regression' || output.classes.includes('buy') || output.classes.includes('sell')
}

function mayShort({ decisions }: Decided): boolean {
  return decisions.output_format === 'regression' || decisions.allow_short_from_flat
}

const widthOf = ({ output }: Decided): number =>
  output.kind === 'classification' ? output.classes.length : 1

type EntryColumns = Pick<Signals, 'enter_long' | 'enter_short'>

/** Takes away the entries that come less than `bars` after the one kept before them. */
function keepApart({ enter_long, enter_short }: EntryColumns, bars: number): void {
  let kept = Number.NEGATIVE_INFINITY
  for (let i = 0; i < enter_long.length; i++) {
    if (((enter_long[i] as number) | (enter_short[i] as number)) === 0) continue
    if (i - kept >= bars) kept = i
    else {
      enter_long[i] = 0
      enter_short[i] = 0
    }
  }
}

/** Signals of so many bars that decide nothing. */
export function emptySignals(length: number): Omit<Signals, 'first_usable_bar'> {
  return {
    enter_long: new Uint8Array(length),
    exit_long: new Uint8Array(length),
    enter_short: new Uint8Array(length),
    exit_short: new Uint8Array(length),
    stop_distance: null,
    target_distance: null,
    limit_distance: null,
    entry_stop_distance: null,
  }
}

/** One column per output, NaN on bars without an answer. */
function outputColumns({ base, bar, outputs }: Prediction, { output }: Decided): ReadIndicator[] {
  const names =
    output.kind === 'classification' ? output.classes.map(name => `probability_${name}`) : ['value']
  return names.map((name, i) => {
    const values = new Float64Array(base.length).fill(Number.NaN)
    for (let row = 0; row < bar.length; row++)
      values[bar[row] as number] = outputs[row * names.length + i] as number
    return { name, unit: 'fraction', values }
  })
}
