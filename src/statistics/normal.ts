/**
 * Φ: the probability that a standard normal value is at most `x`. 0 and 1 at −∞ and ∞, NaN for NaN.
 * Relative error below 1e-14 down to x = −37, the upper tail included by symmetry.
 * Source: Cody 1969, "Rational Chebyshev approximations for the error function", in the form for Φ.
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN
  const size = Math.abs(x)
  if (size <= 0.67448975) return 0.5 + nearZero(x)
  const tail = size > 38.5 ? 0 : upperTail(size)
  return x > 0 ? 1 - tail : tail
}

/**
 * Φ⁻¹: the value that a standard normal one is below with this probability. −∞ at 0, ∞ at 1, NaN outside 0–1.
 * Relative error below 1e-15 of the formula; near 1 the argument itself carries fewer digits: use −Φ⁻¹(1 − p).
 * Source: Wichura 1988, algorithm AS 241 (PPND16).
 */
export function normalQuantile(probability: number): number {
  if (!(probability >= 0 && probability <= 1)) return Number.NaN
  const q = probability - 0.5
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q
    return (q * polynomial(r, centralTop)) / polynomial(r, centralBottom)
  }
  const tail = q < 0 ? probability : 1 - probability
  if (tail === 0) return q < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const r = Math.sqrt(-Math.log(tail))
  const size =
    r <= 5
      ? polynomial(r - 1.6, middleTop) / polynomial(r - 1.6, middleBottom)
      : polynomial(r - 5, farTop) / polynomial(r - 5, farBottom)
  return q < 0 ? -size : size
}

/** Φ(x) − ½ for |x| ≤ 0.67. */
function nearZero(x: number): number {
  const square = x * x
  return (x * polynomial(square, nearTop)) / polynomial(square, nearBottom)
}

/** 1 − Φ(x) for x > 0.67. The square is split so that rounding it costs no digits of the exponential. */
function upperTail(x: number): number {
  const coarse = Math.trunc(x * 16) / 16
  const rest = (x - coarse) * (x + coarse)
  const density = Math.exp(-coarse * coarse * 0.5) * Math.exp(-rest * 0.5)
  if (x <= 5.656854249492381) return (density * polynomial(x, bulkTop)) / polynomial(x, bulkBottom)
  const inverse = 1 / (x * x)
  const correction = (inverse * polynomial(inverse, tailTop)) / polynomial(inverse, tailBottom)
  return (density * (inverseRootTwoPi - correction)) / x
}

/** Coefficients of rising powers. */
function polynomial(x: number, coefficients: readonly number[]): number {
  let value = 0
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * x + (coefficients[i] as number)
  return value
}

const inverseRootTwoPi = 0.3989422804014327

// Cody 1969, scaled for Φ.
const nearTop = [
  18154.98125334356, 1067.6894854603709, 161.02823106855587, 2.2352520354606837, 0.06568233791820745,
]
const nearBottom = [45507.78933502673, 10260.932208618979, 976.0985517377767, 47.202581904688245, 1]
const bulkTop = [
  9842.714838383978, 11602.65143764735, 6848.190450536283, 2494.5375852903726, 597.2702763948002,
  93.50665613217785, 8.883149794388377, 0.39894151208813466, 1.0765576773720192e-8,
]
const bulkBottom = [
  19685.429676859992, 38912.00328609327, 34900.95272114598, 18615.571640885097, 6485.558298266761,
  1519.3775994075547, 235.387901782625, 22.266688044328117, 1,
]
const tailTop = [
  2.9112874951168793e-5, 0.0014216191932278934, 0.022235277870649807, 0.12740116116024736, 0.215898534057957,
  0.023073441764940174,
]
const tailBottom = [
  7.297515550839662e-5, 0.0037823963320275824, 0.06598813786892856, 0.4682382124808651, 1.284260096144911, 1,
]

// Wichura 1988.
const centralTop = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
  67265.7709270087, 33430.57558358813, 2509.0809287301227,
]
const centralBottom = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
]
const middleTop = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
  0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
]
const middleBottom = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
]
const farTop = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
]
const farBottom = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
  1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
]
