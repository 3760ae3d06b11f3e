import { Problem } from '../problems.ts'
import type { Kernels } from './kernels.ts'

/** How parameters follow their gradients. What is not given here is PyTorch's default: betas 0.9 and 0.999, alpha 0.99, epsilon 1e-8. */
export type OptimizerSpec =
  /** `weightDecay` is added to the gradient by all but AdamW, which shrinks the weights themselves. */
  | { readonly kind: 'adam' | 'adamw'; readonly weightDecay: number }
  | { readonly kind: 'sgd' | 'rmsprop'; readonly weightDecay: number; readonly momentum: number }

/** What one step is given. Addresses, and a count of values. */
export type OptimizerStep = {
  readonly parameters: number
  readonly gradients: number
  /** Blocks like that of the parameters, as many as `momentsOf` names. */
  readonly moments: readonly number[]
  readonly count: number
  /** What gradients are multiplied by. */
  readonly clip: number
  readonly learningRate: number
  /** Number of the step, from 1 on. */
  readonly step: number
}

/** Names of what an optimiser remembers of every parameter: the state of a training. */
export const momentsOf = {
  adam: ['exp_avg', 'exp_avg_sq'],
  adamw: ['exp_avg', 'exp_avg_sq'],
  sgd: ['momentum_buffer'],
  rmsprop: ['momentum_buffer', 'square_avg'],
} as const satisfies Record<OptimizerSpec['kind'], readonly string[]>

const [beta1, beta2, alpha, epsilon] = [0.9, 0.999, 0.99, 1e-8]

/** @throws {Problem} 'params-invalid' */
export function checkOptimizer(spec: OptimizerSpec): void {
  const momentum = 'momentum' in spec ? spec.momentum : 0
  if (spec.weightDecay >= 0 && Number.isFinite(spec.weightDecay) && momentum >= 0 && momentum < 1) return
  throw new Problem(
    'params-invalid',
    `the optimizer has the weight decay ${spec.weightDecay} and the momentum ${momentum}`,
    {
      hint: 'A weight decay is at least 0, a momentum at least 0 and below 1.',
    },
  )
}

/**
 * Changes all parameters once and sets the gradients to 0.
 * Sources: PyTorch's documentation of torch.optim; Kingma and Ba 2014; Loshchilov and Hutter 2017.
 */
export function updateParameters(kernels: Kernels, spec: OptimizerSpec, step: OptimizerStep): void {
  const { parameters, gradients, count, clip, learningRate: rate } = step
  const [first = 0, second = 0] = step.moments
  const decay = spec.weightDecay
  switch (spec.kind) {
    case 'adam':
    case 'adamw': {
      const [coupled, shrink] = spec.kind === 'adam' ? [decay, 1] : [0, 1 - rate * decay]
      const stepSize = rate / (1 - beta1 ** step.step)
      const correction = 1 / Math.sqrt(1 - beta2 ** step.step)
      kernels.adam(
        ...([parameters, gradients, first, second, count, clip, coupled, shrink] as const),
        ...([beta1, 1 - beta1, beta2, 1 - beta2, stepSize, correction, epsilon] as const),
      )
      break
    }
    case 'sgd':
      kernels.sgd(parameters, gradients, first, count, clip, decay, spec.momentum, rate)
      break
    case 'rmsprop':
      kernels.rmsprop(
        ...([parameters, gradients, first, second, count, clip, decay] as const),
        ...([alpha, 1 - alpha, epsilon, spec.momentum, rate] as const),
      )
      break
    default:
      spec satisfies never
  }
}
