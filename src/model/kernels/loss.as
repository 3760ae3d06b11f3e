import { exponential, logarithm, power } from './exponential'

/*
 * Outputs of the network, [rows][outputs] at `row` bytes, are replaced by the derivative of the loss after them, and
 * what a row of its loss counts stands in `shares`. The sums are float64. How many rows were right is added to the
 * int32 at `correct`.
 */

/** A sum of e^z and its part without one class. */
let others: f64 = 0

/**
 * Focal loss −(1 − p)^γ · ln p of the right class, p by softmax; γ = 0 is the cross-entropy.
 * The classes after the last one, up to a multiple of 4, get the derivative 0.
 */
export function classLoss(
  z: usize, row: usize, rows: i32, classes: i32, labels: usize, shares: usize, gamma: f64, correct: usize,
): f64 {
  let sum: f64 = 0
  let right = 0
  for (let m = 0; m < rows; m++) {
    const label = load<i32>(labels)
    const share = <f64>load<f32>(shares)
    if (exponentiate(z, classes, label) == label) right++
    const own = <f64>load<f32>(z + (<usize>label << 2))
    const total = own + others
    const p = own / total
    const q = others / total
    // Outputs that are not numbers must not look like a loss.
    const surprise = p > 0 ? -logarithm(p) : NaN
    const weight = gamma == 0 ? 1 : power(q, gamma)
    const pull = gamma == 0 || q == 0 ? weight : weight * (1 + (gamma * p * surprise) / q)
    sum += share * weight * surprise
    const factor = f32x4.splat(<f32>((share * pull) / total))
    for (let n = 0; n < classes; n += 4) {
      const at = z + (<usize>n << 2)
      v128.store(at, f32x4.mul(v128.load(at), factor))
    }
    store<f32>(z + (<usize>label << 2), <f32>(-share * pull * q))
    z += row
    labels += 4
    shares += 4
  }
  store<i32>(correct, load<i32>(correct) + right)
  return sum
}

/**
 * Replaces a row by e^(z − its greatest), and what fills its last four by 0. The sum without the `except`-th is in
 * `others` then. @returns the first of the greatest
 */
@inline
function exponentiate(z: usize, classes: i32, except: i32): i32 {
  let greatest = load<f32>(z)
  let best = 0
  for (let n = 1; n < classes; n++) {
    const value = load<f32>(z + (<usize>n << 2))
    if (value > greatest) {
      greatest = value
      best = n
    }
  }
  for (let n = 0; n < classes; n += 4) {
    const at = z + (<usize>n << 2)
    v128.store(at, exponential(f32x4.sub(v128.load(at), f32x4.splat(greatest))))
  }
  for (let n = classes; n < ((classes + 3) & -4); n++) store<f32>(z + (<usize>n << 2), 0)
  others = 0
  for (let n = 0; n < classes; n++) if (n != except) others += <f64>load<f32>(z + (<usize>n << 2))
  return best
}

/** Softmax of every row, written side by side. */
export function probabilities(z: usize, row: usize, rows: i32, classes: i32, to: usize): void {
  for (let m = 0; m < rows; m++) {
    exponentiate(z, classes, -1)
    for (let n = 0; n < classes; n++) {
      store<f32>(to, <f32>(<f64>load<f32>(z + (<usize>n << 2)) / others))
      to += 4
    }
    z += row
  }
}

/** The outputs as they are, written side by side. */
export function copyValues(z: usize, row: usize, rows: i32, outputs: i32, to: usize): void {
  for (let m = 0; m < rows; m++) {
    for (let n = 0; n < outputs; n++) {
      store<f32>(to, load<f32>(z + (<usize>n << 2)))
      to += 4
    }
    z += row
  }
}

/**
 * Squared distances from the targets, [rows][outputs]; with a positive `delta` Huber's: half of them up to `delta`,
 * straight beyond. Right is a row whose first output has the sign of its target: above 0 or not.
 */
export function valueLoss(
  z: usize, row: usize, rows: i32, outputs: i32, targets: usize, shares: usize, delta: f64, correct: usize,
): f64 {
  let sum: f64 = 0
  let right = 0
  for (let m = 0; m < rows; m++) {
    const share = <f64>load<f32>(shares) / <f64>outputs
    if ((load<f32>(z) > 0) == (load<f32>(targets) > 0)) right++
    for (let n = 0; n < outputs; n++) {
      const at = z + (<usize>n << 2)
      const distance = <f64>load<f32>(at) - <f64>load<f32>(targets)
      let derivative = 2 * distance
      let loss = distance * distance
      if (delta > 0) {
        const isFar = abs(distance) > delta
        derivative = isFar ? copysign(delta, distance) : distance
        loss = isFar ? delta * (abs(distance) - 0.5 * delta) : 0.5 * loss
      }
      sum += share * loss
      store<f32>(at, <f32>(share * derivative))
      targets += 4
    }
    z += row
    shares += 4
  }
  store<i32>(correct, load<i32>(correct) + right)
  return sum
}
