import type { ServedModel } from './served-model.ts'

/** What the output of a model comes to for one bar, whatever position is held: a class, or what to trade. */
export type Decide = (outputs: ArrayLike<number>, at: number) => string

/**
 * How a model's outputs are read. Of classes the most probable one, the first of equals; where classes are trades, one
 * below the confidence threshold is a `hold`. A return is a `buy` above the costs a trade must earn, a `sell` below
 * their negative, else a `hold`. Positions, separation of entries and shorts are not looked at.
 * @returns the answer for the outputs that begin at an index
 */
export function decisionOf({ output, decisions }: Pick<ServedModel, 'output' | 'decisions'>): Decide {
  if (output.kind === 'regression') {
    const edge = decisions.output_format === 'regression' ? edgeOf(decisions.cost_model) : 0
    return (outputs, at) => {
      const value = outputs[at] as number
      return value > edge ? 'buy' : value < -edge ? 'sell' : 'hold'
    }
  }
  const { classes } = output
  const hold = classes.indexOf('hold')
  const threshold = decisions.output_format === 'classification' ? decisions.confidence_threshold : 0
  return (outputs, at) => {
    let best = 0
    for (let i = 1; i < classes.length; i++)
      if ((outputs[at + i] as number) > (outputs[at + best] as number)) best = i
    const isSure = (outputs[at + best] as number) >= threshold
    return classes[isSure || hold < 0 ? best : hold] as string
  }
}

const edgeOf = (costs: { readonly round_trip_cost: number; readonly min_edge_multiplier: number }): number =>
  costs.round_trip_cost * costs.min_edge_multiplier
