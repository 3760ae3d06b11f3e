import type { Model } from '../model/model.ts'
import type { Activation } from '../model/model-spec.ts'

/** Multiplications spent on the rows looked at, and rows looked at. */
const mostProducts = 2 ** 26
const mostRows = 1024

/** Outputs that differ by less say nothing. */
const negligible = 1e-6

/**
 * Hidden units of fully connected layers whose output is the same on every row: they pass nothing on. Looked at on up to
 * 1,024 rows spread evenly. Null for recurrent networks, whose cells have no such state.
 * @param rows row numbers of `features`, at least one  @param checkpoint called after every row
 */
export function countDeadUnits(
  { spec, parameters }: Model,
  { features, rows }: { readonly features: Float32Array; readonly rows: Int32Array },
  checkpoint: () => void = () => {},
): { readonly dead: number; readonly units: number } | null {
  if (spec.kind !== 'mlp') return null
  const read = (name: string) =>
    parameters.find(tensor => tensor.name === name)?.values ?? new Float32Array(0)
  const layers = spec.hidden.map((units, i) => ({
    ...{ units, weight: read(`layers.${i}.weight`), bias: read(`layers.${i}.bias`) },
    least: new Float64Array(units).fill(Number.POSITIVE_INFINITY),
    greatest: new Float64Array(units).fill(Number.NEGATIVE_INFINITY),
  }))
  const products = layers.reduce((sum, { weight }) => sum + weight.length, 1)
  const looked = Math.min(rows.length, mostRows, Math.max(2, Math.floor(mostProducts / products)))
  for (let i = 0; i < looked; i++) {
    checkpoint()
    const row = rows[Math.floor((i * rows.length) / looked)] as number
    let values: ArrayLike<number> = features.subarray(row * spec.inputs, (row + 1) * spec.inputs)
    for (const layer of layers) values = passLayer(layer, values, spec.activation)
  }
  const dead = layers.map(({ least, greatest }) =>
    least.reduce(
      (count, value, unit) => count + ((greatest[unit] as number) - value <= negligible ? 1 : 0),
      0,
    ),
  )
  const units = spec.hidden.reduce((sum, count) => sum + count, 0)
  return { dead: dead.reduce((sum, count) => sum + count, 0), units }
}

type Layer = {
  readonly units: number
  /** Units × inputs. */
  readonly weight: Float32Array
  readonly bias: Float32Array
  /** What each unit's output has been. */
  readonly least: Float64Array
  readonly greatest: Float64Array
}

function passLayer({ units, weight, bias, least, greatest }: Layer, x: ArrayLike<number>, kind: Activation) {
  const y = new Float64Array(units)
  for (let unit = 0; unit < units; unit++) {
    let sum = bias[unit] as number
    for (let k = 0; k < x.length; k++) sum += (weight[unit * x.length + k] as number) * (x[k] as number)
    const value = activations[kind](sum)
    y[unit] = value
    least[unit] = Math.min(least[unit] as number, value)
    greatest[unit] = Math.max(greatest[unit] as number, value)
  }
  return y
}

const activations = {
  relu: x => Math.max(0, x),
  leaky_relu: x => (x > 0 ? x : 0.01 * x),
  tanh: Math.tanh,
  sigmoid: x => 1 / (1 + Math.exp(-x)),
} as const satisfies Record<Activation, (x: number) => number>
