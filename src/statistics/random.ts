/**
 * Numbers that look random and are the same for the same seed, on every machine and thread: xoshiro128** by Blackman
 * and Vigna, seeded by splitmix64. Period 2^128 − 1. Not for secrets.
 * Sources: "Scrambled linear pseudorandom number generators", 2021; Steele, Lea and Flood 2014.
 */
export class Random {
  private a: number
  private b: number
  private c: number
  private d: number

  /**
   * @param seed a whole number, 0–2^53 − 1
   * @param stream which of the independent sequences of that seed, as of one trial of many; whole, from 0 on
   */
  constructor(seed: number, stream = 0) {
    const origin = splitmix64(BigInt(seed)) + BigInt(stream) * streamStep
    const low = splitmix64(origin)
    const high = splitmix64(origin + golden)
    this.a = Number(low & mask32) | 0
    this.b = Number((low >> 32n) & mask32) | 0
    this.c = Number(high & mask32) | 0
    this.d = Number((high >> 32n) & mask32) | 0
    if ((this.a | this.b | this.c | this.d) === 0) this.a = 1
  }

  /** Starts from the four words of the published generator, not all zero. */
  static fromState(state: readonly [number, number, number, number]): Random {
    const random = new Random(0)
    random.a = state[0] | 0
    random.b = state[1] | 0
    random.c = state[2] | 0
    random.d = state[3] | 0
    return random
  }

  /** A whole number, 0–2^32 − 1. */
  next(): number {
    const scrambled = Math.imul(this.b, 5)
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0
    const shifted = this.b << 9
    this.c ^= this.a
    this.d ^= this.b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= shifted
    this.d = (this.d << 11) | (this.d >>> 21)
    return result
  }

  /** A number of [0, 1), of 2^53 equally likely ones. */
  uniform(): number {
    const high = this.next() >>> 5
    return (high * 67_108_864 + (this.next() >>> 6)) / 9_007_199_254_740_992
  }

  /** A whole number, 0 ≤ k < `count`, each equally likely. @param count 1–2^32 */
  below(count: number): number {
    // The last, incomplete round of `count` values would favour the low ones.
    const limit = 4_294_967_296 - (4_294_967_296 % count)
    let value = this.next()
    while (value >= limit) value = this.next()
    return value % count
  }

  /** A standard normal value, by Marsaglia's polar method; every call starts afresh. */
  normal(): number {
    for (;;) {
      const x = 2 * this.uniform() - 1
      const y = 2 * this.uniform() - 1
      const square = x * x + y * y
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square)
    }
  }

  /** Orders the values anew in place, every order equally likely: Fisher and Yates. */
  shuffle(values: Float64Array | Int32Array): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const kept = values[i] as number
      values[i] = values[j] as number
      values[j] = kept
    }
  }
}

const mask32 = 0xffff_ffffn
const mask64 = 0xffff_ffff_ffff_ffffn
const golden = 0x9e37_79b9_7f4a_7c15n
/** Odd, so that every stream below 2^64 starts elsewhere. */
const streamStep = 0xd134_2543_de82_ef95n

/** The first output of the published generator from this state. */
function splitmix64(state: bigint): bigint {
  let z = (state + golden) & mask64
  z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & mask64
  z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & mask64
  return z ^ (z >> 31n)
}
