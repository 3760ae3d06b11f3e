import { settle } from './exponential'

/*
 * One step of every parameter, in PyTorch's formulas. Gradients are multiplied by `clip` first and are 0 afterwards.
 * `count` is a multiple of 4, here and below.
 */

/** Squares that are added in float32 before their sum is added in float64. */
const BLOCK: usize = 16 * 64

/** The sum of squares. */
export function squaredNorm(values: usize, count: i32): f64 {
  const end = values + (<usize>count << 2)
  let total: f64 = 0
  while (values < end) {
    const stop = min(end, values + BLOCK)
    let sum = f32x4.splat(0)
    for (; values < stop; values += 16) {
      const value = v128.load(values)
      sum = f32x4.add(sum, f32x4.mul(value, value))
    }
    total += <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1)
    total += <f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3)
  }
  return total
}

/** clip · gradient + decay · parameter; the gradient is 0 afterwards. */
@inline
function takeGradient(gradients: usize, parameter: v128, clip: v128, decay: v128): v128 {
  const gradient = f32x4.add(f32x4.mul(v128.load(gradients), clip), f32x4.mul(decay, parameter))
  v128.store(gradients, f32x4.splat(0))
  return gradient
}

/** rest · average + share · value. */
@inline
function blend(average: v128, rest: f32, value: v128, share: f32): v128 {
  return settle(f32x4.add(f32x4.mul(average, f32x4.splat(rest)), f32x4.mul(value, f32x4.splat(share))))
}

/** momentum · speed + step. */
@inline
function follow(speed: v128, momentum: f32, step: v128): v128 {
  return settle(f32x4.add(f32x4.mul(speed, f32x4.splat(momentum)), step))
}

/**
 * Adam and AdamW: parameter · shrink − stepSize · first / (√second · correction + epsilon).
 * @param decay of Adam, which adds it to the gradient  @param shrink of AdamW, 1 otherwise
 */
export function adam(
  parameters: usize, gradients: usize, first: usize, second: usize, count: i32, clip: f32, decay: f32, shrink: f32,
  rest1: f32, share1: f32, rest2: f32, share2: f32, stepSize: f32, correction: f32, epsilon: f32,
): void {
  for (let n: usize = 0; n < <usize>count << 2; n += 16) {
    const parameter = v128.load(parameters + n)
    const gradient = takeGradient(gradients + n, parameter, f32x4.splat(clip), f32x4.splat(decay))
    const m = blend(v128.load(first + n), rest1, gradient, share1)
    const v = blend(v128.load(second + n), rest2, f32x4.mul(gradient, gradient), share2)
    v128.store(first + n, m)
    v128.store(second + n, v)
    const divisor = f32x4.add(f32x4.mul(f32x4.sqrt(v), f32x4.splat(correction)), f32x4.splat(epsilon))
    const change = f32x4.div(f32x4.mul(m, f32x4.splat(stepSize)), divisor)
    v128.store(parameters + n, f32x4.sub(f32x4.mul(parameter, f32x4.splat(shrink)), change))
  }
}

/** Stochastic gradient descent: speed = momentum · speed + gradient; parameter − rate · speed. */
export function sgd(
  parameters: usize, gradients: usize, speeds: usize, count: i32, clip: f32, decay: f32, momentum: f32, rate: f32,
): void {
  for (let n: usize = 0; n < <usize>count << 2; n += 16) {
    const parameter = v128.load(parameters + n)
    const gradient = takeGradient(gradients + n, parameter, f32x4.splat(clip), f32x4.splat(decay))
    const speed = follow(v128.load(speeds + n), momentum, gradient)
    v128.store(speeds + n, speed)
    v128.store(parameters + n, f32x4.sub(parameter, f32x4.mul(speed, f32x4.splat(rate))))
  }
}

/** RMSprop: squares = rest · squares + share · gradient²; speed = momentum · speed + gradient / (√squares + epsilon). */
export function rmsprop(
  parameters: usize, gradients: usize, speeds: usize, squares: usize, count: i32, clip: f32, decay: f32,
  rest: f32, share: f32, epsilon: f32, momentum: f32, rate: f32,
): void {
  for (let n: usize = 0; n < <usize>count << 2; n += 16) {
    const parameter = v128.load(parameters + n)
    const gradient = takeGradient(gradients + n, parameter, f32x4.splat(clip), f32x4.splat(decay))
    const square = blend(v128.load(squares + n), rest, f32x4.mul(gradient, gradient), share)
    v128.store(squares + n, square)
    const step = f32x4.div(gradient, f32x4.add(f32x4.sqrt(square), f32x4.splat(epsilon)))
    const speed = follow(v128.load(speeds + n), momentum, step)
    v128.store(speeds + n, speed)
    v128.store(parameters + n, f32x4.sub(parameter, f32x4.mul(speed, f32x4.splat(rate))))
  }
}
