/**
 * e^x and what is made of it, accurate to a few units in the last place and, since only exactly rounded operations
 * are used, equal on every processor. The series are Taylor's: ln 2 / 2 is small enough.
 */

/** 1.5 · 2^23: adding it rounds to a whole number, which then stands in the low bits. */
const ROUNDER: f32 = 12582912

/** ln 2 in two parts; the first has so few bits that multiplying it by an exponent is exact. */
const LN2_HIGH: f64 = 0.693359375
const LN2_LOW: f64 = -2.121944400546905827679e-4

/** e^x − 1 = scale · q + (scale − 1), with scale = 2^n. Not a number stays what it is. */
@inline
export function expMinusOne(x: v128): v128 {
  const rounded = roundedExponent(x)
  const scale = powerOfTwo(rounded)
  return f32x4.add(f32x4.mul(scale, series(x, rounded)), f32x4.sub(scale, f32x4.splat(1)))
}

/** e^x for −87 ≤ x ≤ 88; beyond, that of the limit. */
@inline
export function exponential(x: v128): v128 {
  const limited = f32x4.pmax(f32x4.pmin(x, f32x4.splat(88)), f32x4.splat(-87))
  const rounded = roundedExponent(limited)
  const scale = powerOfTwo(rounded)
  return f32x4.add(f32x4.mul(scale, series(limited, rounded)), scale)
}

/** 1 / (1 + e^−x). */
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))))
}

/** E / (E + 2) with E = e^2x − 1: no digits are lost near 0. */
@inline
export function tangent(x: v128): v128 {
  const limited = f32x4.pmax(f32x4.pmin(x, f32x4.splat(20)), f32x4.splat(-20))
  const grown = expMinusOne(f32x4.add(limited, limited))
  return f32x4.div(grown, f32x4.add(grown, f32x4.splat(2)))
}

/** x / ln 2 rounded to a whole number, plus ROUNDER. */
@inline
function roundedExponent(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(<f32>1.4426950408889634)), f32x4.splat(ROUNDER))
}

@inline
function powerOfTwo(rounded: v128): v128 {
  return i32x4.add(i32x4.shl(rounded, 23), i32x4.splat(0x3f800000))
}

/** e^r − 1 of the rest r of x, |r| ≤ ln 2 / 2. */
@inline
function series(x: v128, rounded: v128): v128 {
  const whole = f32x4.sub(rounded, f32x4.splat(ROUNDER))
  let r = f32x4.sub(x, f32x4.mul(whole, f32x4.splat(<f32>LN2_HIGH)))
  r = f32x4.sub(r, f32x4.mul(whole, f32x4.splat(<f32>LN2_LOW)))
  let sum = f32x4.splat(<f32>(1.0 / 5040))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(<f32>(1.0 / 720)))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(<f32>(1.0 / 120)))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(<f32>(1.0 / 24)))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(<f32>(1.0 / 6)))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(0.5))
  // r + r² · (1/2 + r/6 + …): the leading term is added last, unrounded.
  return f32x4.add(f32x4.mul(f32x4.mul(r, r), sum), r)
}

/**
 * Makes 0 of what is too small to matter. Averages and gradients that fade away would end as subnormal numbers, with
 * which processors take a hundred times as long. Not a number stays what it is.
 */
@inline
export function settle(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.splat(1e-30)))
}

/** ln x of a normal x > 0. Series of the inverse hyperbolic tangent, |s| ≤ 0.172. */
export function logarithm(x: f64): f64 {
  const bits = reinterpret<u64>(x)
  let exponent = <f64>(<i64>(bits >> 52) - 1023)
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000)
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5
    exponent += 1
  }
  const s = (mantissa - 1) / (mantissa + 1)
  const square = s * s
  let sum: f64 = 1.0 / 21
  for (let odd: f64 = 19; odd >= 1; odd -= 2) sum = sum * square + 1 / odd
  return exponent * LN2_HIGH + (exponent * LN2_LOW + 2 * s * sum)
}

/** x^y for x > 0; too small a power is 0. */
export function power(x: f64, y: f64): f64 {
  const exponent = y * logarithm(x)
  if (exponent < -700) return 0
  const whole = nearest<f64>(exponent * 1.4426950408889634)
  const rest = exponent - whole * LN2_HIGH - whole * LN2_LOW
  let sum: f64 = 1
  for (let k: f64 = 14; k >= 1; k -= 1) sum = 1 + (rest / k) * sum
  return sum * reinterpret<f64>((<u64>(<i64>whole + 1023)) << 52)
}
