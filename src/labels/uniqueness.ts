/**
 * How little each label overlaps with the others: the mean of 1 / (labels that live through a bar) over the bars of its
 * life, those after `t0` to `t1`; divided so that the mean over all labels is 1.
 * @param t1 one per bar, −1 where there is no label
 * @returns one per bar, NaN where there is no label
 * Source: López de Prado 2018, sections 4.3 and 4.4.
 */
export function weighUniqueness(t1: Int32Array): Float64Array {
  const share = sumShares(t1)
  const weight = new Float64Array(t1.length).fill(Number.NaN)
  let total = 0
  let labels = 0
  for (let t = 0; t < t1.length; t++) {
    const end = t1[t] as number
    if (end < 0) continue
    const unique = ((share[end] as number) - (share[t] as number)) / (end - t)
    weight[t] = unique
    total += unique
    labels++
  }
  for (let t = 0; t < weight.length; t++) weight[t] = ((weight[t] as number) * labels) / total
  return weight
}

/** Running sum over the bars of 1 / (labels that live through the bar); bars without any add nothing. */
function sumShares(t1: Int32Array): Float64Array {
  const change = new Int32Array(t1.length + 1)
  for (let t = 0; t < t1.length; t++) {
    const end = t1[t] as number
    if (end < 0) continue
    change[t + 1] = (change[t + 1] as number) + 1
    change[end + 1] = (change[end + 1] as number) - 1
  }
  const share = new Float64Array(t1.length)
  let alive = 0
  let sum = 0
  for (let t = 0; t < t1.length; t++) {
    alive += change[t] as number
    if (alive > 0) sum += 1 / alive
    share[t] = sum
  }
  return share
}
