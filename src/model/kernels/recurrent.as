import { settle, sigmoid, tangent } from './exponential'

/*
 * One time step of recurrent cells, in PyTorch's formulas and order of gates. `units` is a multiple of 4; states are
 * [rows][units], gates [rows][gates · units]. Going back, the gates are replaced by their derivatives.
 */

/** Gates in, forget, cell, out become their activations. `squashed` receives tanh of the new cell. */
export function lstmForward(
  gates: usize, oldCell: usize, cell: usize, squashed: usize, hidden: usize, rows: i32, units: i32,
): void {
  const wide = <usize>units << 2
  for (let m = 0; m < rows; m++) {
    for (let n: usize = 0; n < wide; n += 16) {
      const into = sigmoid(v128.load(gates))
      const forget = sigmoid(v128.load(gates + wide))
      const fresh = tangent(v128.load(gates + 2 * wide))
      const out = sigmoid(v128.load(gates + 3 * wide))
      const now = f32x4.add(f32x4.mul(forget, v128.load(oldCell + n)), f32x4.mul(into, fresh))
      const flat = tangent(now)
      v128.store(gates, into)
      v128.store(gates + wide, forget)
      v128.store(gates + 2 * wide, fresh)
      v128.store(gates + 3 * wide, out)
      v128.store(cell + n, now)
      v128.store(squashed + n, flat)
      v128.store(hidden + n, f32x4.mul(out, flat))
      gates += 16
    }
    gates += 3 * wide
    oldCell += wide
    cell += wide
    squashed += wide
    hidden += wide
  }
}

/** @param cellSlope in: what later steps want of the cell; out: what is wanted of the one before */
export function lstmBackward(
  gates: usize, oldCell: usize, squashed: usize, hiddenSlope: usize, cellSlope: usize, rows: i32, units: i32,
): void {
  const wide = <usize>units << 2
  const one = f32x4.splat(1)
  for (let m = 0; m < rows; m++) {
    for (let n: usize = 0; n < wide; n += 16) {
      const into = v128.load(gates)
      const forget = v128.load(gates + wide)
      const fresh = v128.load(gates + 2 * wide)
      const out = v128.load(gates + 3 * wide)
      const flat = v128.load(squashed + n)
      const wanted = settle(v128.load(hiddenSlope + n))
      const through = f32x4.mul(f32x4.mul(wanted, out), f32x4.sub(one, f32x4.mul(flat, flat)))
      const slope = f32x4.add(v128.load(cellSlope + n), through)
      v128.store(cellSlope + n, settle(f32x4.mul(slope, forget)))
      v128.store(gates, f32x4.mul(f32x4.mul(slope, fresh), ofSigmoid(into)))
      v128.store(gates + wide, f32x4.mul(f32x4.mul(slope, v128.load(oldCell + n)), ofSigmoid(forget)))
      v128.store(gates + 2 * wide, f32x4.mul(f32x4.mul(slope, into), f32x4.sub(one, f32x4.mul(fresh, fresh))))
      v128.store(gates + 3 * wide, f32x4.mul(f32x4.mul(wanted, flat), ofSigmoid(out)))
      gates += 16
    }
    gates += 3 * wide
    oldCell += wide
    squashed += wide
    hiddenSlope += wide
    cellSlope += wide
  }
}

/** The derivative of the sigmoid by its value. */
@inline
function ofSigmoid(y: v128): v128 {
  return f32x4.mul(y, f32x4.sub(f32x4.splat(1), y))
}

/** Gates reset, update, new: `ofInput` becomes their activations, `ofHidden` stays. */
export function gruForward(
  ofInput: usize, ofHidden: usize, oldHidden: usize, hidden: usize, rows: i32, units: i32,
): void {
  const wide = <usize>units << 2
  for (let m = 0; m < rows; m++) {
    for (let n: usize = 0; n < wide; n += 16) {
      const reset = sigmoid(f32x4.add(v128.load(ofInput), v128.load(ofHidden)))
      const update = sigmoid(f32x4.add(v128.load(ofInput + wide), v128.load(ofHidden + wide)))
      const recalled = f32x4.mul(reset, v128.load(ofHidden + 2 * wide))
      const fresh = tangent(f32x4.add(v128.load(ofInput + 2 * wide), recalled))
      v128.store(ofInput, reset)
      v128.store(ofInput + wide, update)
      v128.store(ofInput + 2 * wide, fresh)
      const difference = f32x4.sub(v128.load(oldHidden + n), fresh)
      v128.store(hidden + n, f32x4.add(fresh, f32x4.mul(update, difference)))
      ofInput += 16
      ofHidden += 16
    }
    ofInput += 2 * wide
    ofHidden += 2 * wide
    oldHidden += wide
    hidden += wide
  }
}

/** `oldSlope` receives what is wanted of the hidden state before, the way through the gates left out. */
export function gruBackward(
  ofInput: usize, ofHidden: usize, oldHidden: usize, hiddenSlope: usize, oldSlope: usize, rows: i32, units: i32,
): void {
  const wide = <usize>units << 2
  const one = f32x4.splat(1)
  for (let m = 0; m < rows; m++) {
    for (let n: usize = 0; n < wide; n += 16) {
      const reset = v128.load(ofInput)
      const update = v128.load(ofInput + wide)
      const fresh = v128.load(ofInput + 2 * wide)
      const wanted = settle(v128.load(hiddenSlope + n))
      const difference = f32x4.sub(v128.load(oldHidden + n), fresh)
      const ofFresh = f32x4.mul(f32x4.mul(wanted, f32x4.sub(one, update)), f32x4.sub(one, f32x4.mul(fresh, fresh)))
      const ofUpdate = f32x4.mul(f32x4.mul(wanted, difference), ofSigmoid(update))
      const ofReset = f32x4.mul(f32x4.mul(ofFresh, v128.load(ofHidden + 2 * wide)), ofSigmoid(reset))
      v128.store(oldSlope + n, f32x4.add(v128.load(oldSlope + n), f32x4.mul(wanted, update)))
      v128.store(ofInput, ofReset)
      v128.store(ofInput + wide, ofUpdate)
      v128.store(ofInput + 2 * wide, ofFresh)
      v128.store(ofHidden, ofReset)
      v128.store(ofHidden + wide, ofUpdate)
      v128.store(ofHidden + 2 * wide, f32x4.mul(ofFresh, reset))
      ofInput += 16
      ofHidden += 16
    }
    ofInput += 2 * wide
    ofHidden += 2 * wide
    oldHidden += wide
    hiddenSlope += wide
    oldSlope += wide
  }
}
