import { findOptionFaults } from './option-keys.ts'
import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import type { StrategyModel } from './strategy.ts'
import { fieldOf, type WrittenModel } from './written.ts'

const recurrent = ['sequence_length', 'hidden_size', 'num_layers', 'dropout']
const keysOfType = { mlp: ['hidden_layers', 'activation', 'dropout'], lstm: recurrent, gru: recurrent }
const required = ['hidden_layers', 'sequence_length']

const schema = strategySchema.$defs.StrategyArchitecture.properties

/** Keys of the architecture that the type of network does not have, and those it needs. */
export function findModelFaults(model: unknown): readonly Fault[] {
  const value = fieldOf(model, 'type')
  const architecture = fieldOf(model, 'architecture')
  const table = { option: 'model', value, keys: keysOfType, required }
  return findOptionFaults(['model', 'architecture'], architecture, table)
}

/** @param written checked */
export function resolveModel({ type, architecture }: WrittenModel): StrategyModel {
  const dropout = architecture.dropout ?? schema.dropout.default
  if (type === 'mlp') {
    const activation = architecture.activation ?? schema.activation.default
    return { type, architecture: { hidden_layers: architecture.hidden_layers ?? [], activation, dropout } }
  }
  return {
    type,
    architecture: {
      sequence_length: architecture.sequence_length ?? 0,
      hidden_size: architecture.hidden_size ?? schema.hidden_size.default,
      num_layers: architecture.num_layers ?? schema.num_layers.default,
      dropout,
    },
  }
}
