import type { Axis } from './axis.ts'
import type { FieldValue } from './field-path.ts'
import { medianOf } from './neighbourhood.ts'
import type { RankedTrial } from './objective.ts'
import { type Space, valueOn } from './space.ts'

/** Scores of the trials by two fields, whatever the others are. */
export type Heatmap = {
  readonly x: HeatmapAxis
  readonly y: HeatmapAxis
  /** Cells with a trial, row by row from the first y. */
  readonly cells: readonly HeatmapCell[]
}

/** The columns or rows of a heatmap: one per value, or one per part of the range where there are too many. */
export type HeatmapAxis = {
  readonly path: string
  /** The value of each; of a part, the value in its middle. */
  readonly values: readonly FieldValue[]
}

export type HeatmapCell = {
  /** Column, from 0. */
  readonly x: number
  /** Row, from 0. */
  readonly y: number
  readonly trials: number
  /** Null where no trial of the cell has a score. */
  readonly best: number | null
  readonly median: number | null
}

/** Pairs of fields shown at most, and columns and rows of each. */
export const maxHeatmaps = 10
const maxParts = 20

/** One heatmap per pair of fields, in the order of the fields, at most ten. */
export function buildHeatmaps({ axes }: Space, trials: readonly RankedTrial[]): readonly Heatmap[] {
  const pairs = axes.flatMap((x, i) => axes.slice(i + 1).map(y => [x, y] as const))
  return pairs.slice(0, maxHeatmaps).map(([x, y]) => buildHeatmap(x, y, trials))
}

function buildHeatmap(x: Axis, y: Axis, trials: readonly RankedTrial[]): Heatmap {
  const [columns, rows] = [countParts(x), countParts(y)]
  const scores = new Map<number, (number | null)[]>()
  for (const { values, score } of trials) {
    const cell = partOf(y, rows, valueOn(y, values)) * columns + partOf(x, columns, valueOn(x, values))
    const ofCell = scores.get(cell) ?? []
    ofCell.push(score)
    scores.set(cell, ofCell)
  }
  const cells = [...scores]
    .sort(([a], [b]) => a - b)
    .map(([cell, all]) => {
      const defined = all.filter(score => score !== null)
      return {
        x: cell % columns,
        y: Math.floor(cell / columns),
        trials: all.length,
        best: defined.reduce<number | null>((best, score) => Math.max(best ?? score, score), null),
        median: medianOf(defined),
      }
    })
  return { x: describe(x, columns), y: describe(y, rows), cells }
}

function countParts({ count }: Axis): number {
  return count === null ? maxParts : Math.min(count, maxParts)
}

function partOf(axis: Axis, parts: number, value: FieldValue): number {
  return Math.min(parts - 1, Math.max(0, Math.floor(axis.placeOf(value) * parts)))
}

function describe({ path, valueAt }: Axis, parts: number): HeatmapAxis {
  return { path, values: Array.from({ length: parts }, (_, part) => valueAt((part + 0.5) / parts)) }
}
