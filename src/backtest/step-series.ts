/** A number that stays the same between the points at which it is set. */
export class StepSeries {
  private first = 0
  private last = 0
  private points = new Int32Array(1024)
  private values = new Float64Array(1024)
  private count = 0

  /** Forgets everything but the memory, and begins with this value. */
  begin(first: number): void {
    this.first = first
    this.last = first
    this.count = 0
  }

  /** Gives the memory back at once. Nothing can be set after it. */
  release(): void {
    this.points.buffer.transfer(0)
    this.values.buffer.transfer(0)
  }

  /** From this point on. Points are set in order. */
  set(point: number, value: number): void {
    if (value === this.last) return
    this.last = value
    if (this.count === this.points.length) this.grow()
    this.points[this.count] = point
    this.values[this.count++] = value
  }

  /** The value at points 0 to `length` − 1. */
  expand(length: number): Float64Array {
    const series = new Float64Array(length)
    this.each(length, (value, from, to) => series.fill(value, from, to))
    return series
  }

  /** Visits the stretches of points 0 to `length` − 1 over which the value stays the same; `to` is not in them. */
  each(length: number, visit: (value: number, from: number, to: number) => void): void {
    let value = this.first
    let from = 0
    for (let k = 0; k < this.count; k++) {
      const to = this.points[k] as number
      if (to > from) visit(value, from, to)
      from = to
      value = this.values[k] as number
    }
    if (length > from) visit(value, from, length)
  }

  private grow(): void {
    const points = new Int32Array(this.count * 2)
    const values = new Float64Array(this.count * 2)
    points.set(this.points)
    values.set(this.values)
    this.points = points
    this.values = values
  }
}
