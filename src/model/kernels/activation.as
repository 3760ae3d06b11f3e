import { sigmoid, tangent } from './exponential'

/** What `kind` says. */
const RELU: i32 = 0
const LEAKY_RELU: i32 = 1
const TANH: i32 = 2

/** Slope of the leaky one below 0. */
const LEAK: f32 = 0.01

/** Replaces `count` values, a multiple of 4, by their activation; where `slopes` is not 0, its derivative goes there. */
export function activate(kind: i32, values: usize, slopes: usize, count: i32): void {
  if (kind == RELU) run(RELU, values, slopes, count)
  else if (kind == LEAKY_RELU) run(LEAKY_RELU, values, slopes, count)
  else if (kind == TANH) run(TANH, values, slopes, count)
  else run(3, values, slopes, count)
}

@inline
function run(kind: i32, values: usize, slopes: usize, count: i32): void {
  const end = values + (<usize>count << 2)
  if (slopes == 0) {
    for (; values < end; values += 16) v128.store(values, activated(kind, v128.load(values)))
    return
  }
  for (; values < end; values += 16) {
    const before = v128.load(values)
    const after = activated(kind, before)
    v128.store(values, after)
    v128.store(slopes, slope(kind, before, after))
    slopes += 16
  }
}

/** Not a number stays what it is: pmax takes its first operand then. */
@inline
function activated(kind: i32, z: v128): v128 {
  if (kind == RELU) return f32x4.pmax(z, f32x4.splat(0))
  if (kind == LEAKY_RELU) return f32x4.pmax(z, f32x4.mul(z, f32x4.splat(LEAK)))
  if (kind == TANH) return tangent(z)
  return sigmoid(z)
}

@inline
function slope(kind: i32, z: v128, y: v128): v128 {
  const one = f32x4.splat(1)
  const isPositive = f32x4.gt(z, f32x4.splat(0))
  if (kind == RELU) return v128.and(isPositive, one)
  if (kind == LEAKY_RELU) return v128.bitselect(one, f32x4.splat(LEAK), isPositive)
  if (kind == TANH) return f32x4.sub(one, f32x4.mul(y, y))
  return f32x4.mul(y, f32x4.sub(one, y))
}

/** Sets the columns from `first` to before `end` to 0. */
export function clearColumns(values: usize, row: usize, rows: i32, first: i32, end: i32): void {
  for (let m = 0; m < rows; m++) {
    for (let n = first; n < end; n++) store<f32>(values + (<usize>n << 2), 0)
    values += row
  }
}

/** values *= factors, `count` a multiple of 4. */
export function scaleBy(values: usize, factors: usize, count: i32): void {
  const end = values + (<usize>count << 2)
  for (; values < end; values += 16) {
    v128.store(values, f32x4.mul(v128.load(values), v128.load(factors)))
    factors += 16
  }
}

/**
 * Drops units: what falls below `threshold` of 2^32 becomes 0, all else is multiplied by `scale`; in `values` and,
 * where it is not 0, in `slopes`. What is dropped depends on the key, the counter of the row and the unit alone.
 */
export function dropout(
  values: usize, slopes: usize, row: usize, rows: i32, units: i32,
  keyLow: u32, keyHigh: u32, counter: u32, counterStep: u32, threshold: u32, scale: f32,
): void {
  for (let m = 0; m < rows; m++) {
    const rowKey = scramble(keyLow + counter * 0x9e3779b9)
    let unit = i32x4.add(i32x4.splat(rowKey), i32x4.mul(i32x4(1, 2, 3, 4), i32x4.splat(0x85ebca77)))
    for (let n: usize = 0; n < <usize>units << 2; n += 16) {
      const isKept = i32x4.ge_u(scrambleFour(unit, keyHigh), i32x4.splat(threshold))
      const factor = v128.and(isKept, f32x4.splat(scale))
      v128.store(values + n, f32x4.mul(v128.load(values + n), factor))
      if (slopes != 0) v128.store(slopes + n, f32x4.mul(v128.load(slopes + n), factor))
      unit = i32x4.add(unit, i32x4.splat(4 * 0x85ebca77))
    }
    values += row
    if (slopes != 0) slopes += row
    counter += counterStep
  }
}

/** Multiplications by odd numbers and shifted exclusive ors: a bijection whose output bits depend on all input bits. */
@inline
function scramble(x: u32): u32 {
  x = (x ^ (x >>> 16)) * 0x7feb352d
  x = (x ^ (x >>> 15)) * 0x846ca68b
  return x ^ (x >>> 16)
}

/** The same for four, with the other half of the key in its middle. */
@inline
function scrambleFour(x: v128, key: u32): v128 {
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x7feb352d))
  x = v128.xor(x, i32x4.splat(key))
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), i32x4.splat(0x846ca68b))
  return v128.xor(x, i32x4.shr_u(x, 16))
}
