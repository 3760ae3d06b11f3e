/**
 * Matrix products of float32, by tiles of 4 rows × 8 columns held in registers. Multiplication and addition stay two
 * instructions: fused ones do not exist on every processor and would round differently.
 *
 * Rows of activations lie at a stride in bytes. Weights lie in panels of 8 outputs, [outputs / 8][inputs][8], so that a
 * tile reads them one after the other; their gradients likewise. Rows come in multiples of 4, outputs of 8.
 */

/** Bytes of one row of a panel. */
const PANEL_ROW: usize = 32

/** Adds a's column · b's row to the tile, `count` times, and stores it. */
@inline
function multiply(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, count: i32, c: usize, cRow: usize,
  s0: v128, s1: v128, s2: v128, s3: v128, s4: v128, s5: v128, s6: v128, s7: v128,
): void {
  let a1 = a + aRow
  let a2 = a1 + aRow
  let a3 = a2 + aRow
  for (let p = 0; p < count; p++) {
    const left = v128.load(b)
    const right = v128.load(b, 16)
    let x = v128.load32_splat(a)
    s0 = f32x4.add(s0, f32x4.mul(x, left))
    s1 = f32x4.add(s1, f32x4.mul(x, right))
    x = v128.load32_splat(a1)
    s2 = f32x4.add(s2, f32x4.mul(x, left))
    s3 = f32x4.add(s3, f32x4.mul(x, right))
    x = v128.load32_splat(a2)
    s4 = f32x4.add(s4, f32x4.mul(x, left))
    s5 = f32x4.add(s5, f32x4.mul(x, right))
    x = v128.load32_splat(a3)
    s6 = f32x4.add(s6, f32x4.mul(x, left))
    s7 = f32x4.add(s7, f32x4.mul(x, right))
    a += aStep
    a1 += aStep
    a2 += aStep
    a3 += aStep
    b += bStep
  }
  store(c, s0, s1)
  store(c + cRow, s2, s3)
  store(c + 2 * cRow, s4, s5)
  store(c + 3 * cRow, s6, s7)
}

@inline
function store(at: usize, left: v128, right: v128): void {
  v128.store(at, left)
  v128.store(at, right, 16)
}

/** The tile starts as what is there. */
@inline
function accumulateTile(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, count: i32, c: usize, cRow: usize,
): void {
  const c1 = c + cRow
  const c2 = c1 + cRow
  const c3 = c2 + cRow
  multiply(
    a, aRow, aStep, b, bStep, count, c, cRow,
    v128.load(c), v128.load(c, 16), v128.load(c1), v128.load(c1, 16),
    v128.load(c2), v128.load(c2, 16), v128.load(c3), v128.load(c3, 16),
  )
}

/** The tile starts as the same 8 values in every row. */
@inline
function freshTile(
  a: usize, aRow: usize, b: usize, count: i32, c: usize, cRow: usize, left: v128, right: v128,
): void {
  multiply(a, aRow, 4, b, PANEL_ROW, count, c, cRow, left, right, left, right, left, right, left, right)
}

/** y = x · weights + bias. x is [rows][inputs] at `xRow`, y [rows][outputs] at `yRow`; a panel takes `panel` bytes. */
export function forward(
  x: usize, xRow: usize, weights: usize, panel: usize, bias: usize,
  y: usize, yRow: usize, rows: i32, inputs: i32, outputs: i32,
): void {
  for (let n = 0; n < outputs; n += 8) {
    const left = v128.load(bias)
    const right = v128.load(bias, 16)
    let a = x
    let c = y
    for (let m = 0; m < rows; m += 4) {
      freshTile(a, xRow, weights, inputs, c, yRow, left, right)
      a += 4 * xRow
      c += 4 * yRow
    }
    weights += panel
    bias += PANEL_ROW
    y += PANEL_ROW
  }
}

/** y += x · weights, of the same shapes. */
export function forwardAdd(
  x: usize, xRow: usize, weights: usize, panel: usize,
  y: usize, yRow: usize, rows: i32, inputs: i32, outputs: i32,
): void {
  for (let n = 0; n < outputs; n += 8) {
    let a = x
    let c = y
    for (let m = 0; m < rows; m += 4) {
      accumulateTile(a, xRow, 4, weights, PANEL_ROW, inputs, c, yRow)
      a += 4 * xRow
      c += 4 * yRow
    }
    weights += panel
    y += PANEL_ROW
  }
}

/** gradient += xᵀ · dy. The gradient lies in panels like the weights; `inputs` is a multiple of 4, `rows` is not. */
export function weightGradient(
  x: usize, xRow: usize, dy: usize, dyRow: usize, gradient: usize, rows: i32, inputs: i32, outputs: i32,
): void {
  for (let n = 0; n < outputs; n += 8) {
    for (let k = 0; k < inputs; k += 4) {
      accumulateTile(x + (<usize>k << 2), 4, xRow, dy, dyRow, rows, gradient, PANEL_ROW)
      gradient += 4 * PANEL_ROW
    }
    dy += PANEL_ROW
  }
}

/** gradient += the sum of dy's rows. */
export function biasGradient(dy: usize, dyRow: usize, gradient: usize, rows: i32, outputs: i32): void {
  for (let n = 0; n < outputs; n += 4) {
    let sum = v128.load(gradient)
    let at = dy
    for (let m = 0; m < rows; m++) {
      sum = f32x4.add(sum, v128.load(at))
      at += dyRow
    }
    v128.store(gradient, sum)
    gradient += 16
    dy += 16
  }
}

/** Panels of the transposed matrix, [inputs / 8][outputs][8]; both are multiples of 8. */
export function transpose(weights: usize, transposed: usize, inputs: i32, outputs: i32): void {
  const panel = <usize>inputs * PANEL_ROW
  for (let k = 0; k < inputs; k += 4) {
    // Of input k the panel, and in it the left or the right half.
    let to = transposed + <usize>(k >> 3) * <usize>outputs * PANEL_ROW + (<usize>(k & 4) << 2)
    for (let n = 0; n < outputs; n += 4) {
      transposeBlock(weights + <usize>(n >> 3) * panel + <usize>k * PANEL_ROW + (<usize>(n & 4) << 2), to)
      to += 4 * PANEL_ROW
    }
  }
}

/** Four values of four rows of a panel. */
@inline
function transposeBlock(from: usize, to: usize): void {
  const r0 = v128.load(from)
  const r1 = v128.load(from, 32)
  const r2 = v128.load(from, 64)
  const r3 = v128.load(from, 96)
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5))
  v128.store(to, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), 32)
  v128.store(to, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 64)
  v128.store(to, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 96)
}
