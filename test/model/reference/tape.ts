/** A number that knows what it was made of: reverse-mode differentiation in float64, slow and plain. */
export class Value {
  readonly value: number
  gradient = 0
  private readonly sources: readonly (readonly [Value, number])[]

  /** @param sources what it was made of, each with the partial derivative after it */
  constructor(value: number, sources: readonly (readonly [Value, number])[] = []) {
    this.value = value
    this.sources = sources
  }

  /** Sets the gradient of everything this was made of. */
  backward(): void {
    const order: Value[] = []
    const seen = new Set<Value>()
    const stack: [Value, number][] = [[this, 0]]
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as [Value, number]
      const source = top[0].sources[top[1]++]?.[0]
      if (source === undefined) {
        order.push(top[0])
        stack.pop()
      } else if (!seen.has(source)) {
        seen.add(source)
        stack.push([source, 0])
      }
    }
    this.gradient = 1
    for (const node of order.reverse())
      for (const [source, slope] of node.sources) source.gradient += slope * node.gradient
  }
}

export const constant = (value: number): Value => new Value(value)
export const add = (a: Value, b: Value): Value =>
  new Value(a.value + b.value, [
    [a, 1],
    [b, 1],
  ])
export const sub = (a: Value, b: Value): Value => add(a, scale(b, -1))
export const mul = (a: Value, b: Value): Value =>
  new Value(a.value * b.value, [
    [a, b.value],
    [b, a.value],
  ])
export const scale = (a: Value, factor: number): Value => new Value(a.value * factor, [[a, factor]])
export const exp = (a: Value): Value => new Value(Math.exp(a.value), [[a, Math.exp(a.value)]])
export const log = (a: Value): Value => new Value(Math.log(a.value), [[a, 1 / a.value]])
export const pow = (a: Value, y: number): Value =>
  new Value(a.value ** y, [[a, y === 0 ? 0 : y * a.value ** (y - 1)]])
export const tanh = (a: Value): Value => new Value(Math.tanh(a.value), [[a, 1 - Math.tanh(a.value) ** 2]])
export const sigmoid = (a: Value): Value => {
  const y = 1 / (1 + Math.exp(-a.value))
  return new Value(y, [[a, y * (1 - y)]])
}
/** a above 0, `leak` · a below. */
export const rectified = (a: Value, leak: number): Value => scale(a, a.value > 0 ? 1 : leak)
export const sum = (values: readonly Value[]): Value =>
  new Value(
    values.reduce((total, { value }) => total + value, 0),
    values.map(value => [value, 1] as const),
  )
