import { DenseNetwork } from './dense-network.ts'
import type { DropoutSeed } from './dropout.ts'
import type { Engine } from './kernels.ts'
import type { Blocks } from './linear.ts'
import type { MemoryPlan, Place } from './memory-plan.ts'
import type { ModelSpec } from './model-spec.ts'
import type { ParameterBlock } from './parameter-block.ts'
import { RecurrentNetwork } from './recurrent-network.ts'

/** A few rows on their way through the network. */
export type Pass = {
  readonly engine: Engine
  /** A multiple of 4, at most the network's `rows`; what fills up is computed and ignored. */
  readonly rows: number
  /** Place of the first one in its batch: dropout depends on it. */
  readonly first: number
  /** Null: nothing is dropped. */
  readonly dropout: DropoutSeed | null
  /** Called every few milliseconds; it may throw to stop the work. */
  readonly checkpoint: () => void
}

/** Rows × features, row-major. */
export type Features = Float32Array

export type Network = {
  /** Where the outputs are after `forward`; their derivatives are expected there by `backward`. */
  readonly outputs: Place
  /** Copies the rows asked about, with the ones before them that they need. `chosen` holds row numbers. */
  readonly gather: (engine: Engine, features: Features, chosen: Int32Array) => void
  /** @param keep whether `backward` follows */
  readonly forward: (pass: Pass, keep: boolean) => void
  /** Adds the gradients of all parameters. */
  readonly backward: (pass: Pass) => void
  /** To be called after the parameters have changed and before `backward`. */
  readonly refresh: (engine: Engine) => void
}

export type NetworkPlan = {
  readonly plan: MemoryPlan
  readonly block: ParameterBlock
  readonly blocks: Blocks
  /** Most rows of a pass, a multiple of 4. */
  readonly rows: number
}

export function createNetwork(spec: ModelSpec, plan: NetworkPlan): Network {
  return spec.kind === 'mlp' ? new DenseNetwork(spec, plan) : new RecurrentNetwork(spec, plan)
}

/** Multiplications of a pass between two calls of its `checkpoint`: a few milliseconds. */
const passProducts = 2 ** 25

/** Values that one pass may keep. */
const passValues = 2 ** 21

/**
 * How many rows go through the network together: so few that what they need stays in the cache and no call takes more
 * than a few milliseconds, so many that weights are not read for nothing. It depends on the shape alone, and so does
 * the order of every sum.
 */
export function rowsOfPass(spec: ModelSpec): number {
  const isDense = spec.kind === 'mlp'
  const widths = isDense ? [spec.inputs, ...spec.hidden, spec.outputs] : [spec.inputs, spec.hidden]
  const gates = isDense ? 1 : 4
  const products = Math.max(...widths.slice(1).map((width, i) => width * (widths[i] ?? 0))) * gates
  const kept = isDense ? 0 : spec.sequenceLength * spec.hidden * 8 * spec.layers
  const fitting = Math.min(passProducts / products, passValues / Math.max(1, kept), 64)
  return Math.max(4, Math.floor(fitting / 4) * 4)
}
