import { findOptionFaults } from './option-keys.ts'
import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import type { ModelDecisions } from './strategy.ts'
import { fieldOf, type WrittenDecisions } from './written.ts'

/** `confidence_threshold` means nothing in regression either, but is only remarked on: see `remarks.ts`. */
const keysOfFormat = { classification: ['allow_short_from_flat'], regression: ['cost_model'] }

const { $defs } = strategySchema
const schema = $defs.StrategyDecisions.properties

/** Keys that do not go with the output of the model. */
export function findModelDecisionFaults(decisions: unknown): readonly Fault[] {
  return findOptionFaults(['decisions'], decisions, {
    option: 'output_format',
    value: fieldOf(decisions, 'output_format') ?? schema.output_format.default,
    keys: keysOfFormat,
    required: ['cost_model'],
  })
}

/** @param written checked */
export function resolveModelDecisions(written: WrittenDecisions): ModelDecisions {
  const separation = $defs.StrategyFilters.properties.min_signal_separation.default
  const common = {
    position_awareness: written.position_awareness ?? schema.position_awareness.default,
    filters: { min_signal_separation: written.filters?.min_signal_separation ?? separation },
  }
  const { cost_model } = written
  if (written.output_format === 'regression' && cost_model !== undefined)
    return { output_format: 'regression', ...common, cost_model }
  return {
    output_format: 'classification',
    ...common,
    confidence_threshold: written.confidence_threshold ?? schema.confidence_threshold.default,
    allow_short_from_flat: written.allow_short_from_flat ?? schema.allow_short_from_flat.default,
  }
}
