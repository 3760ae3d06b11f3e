import type { ColumnWindow } from '../features/column-stream.ts'
import type { NumericNode } from './ast.ts'
import { calculate, negate } from './column-loops.ts'
import type { RuleScratch } from './column-scratch.ts'

/** A whole column, or the part of it that is at hand. */
type Columns = Readonly<Record<string, Float64Array | ColumnWindow>>

/** Where a node is compiled: its level of nesting says which scratch columns are free, those from it on. */
export type Place = { readonly columns: Columns; readonly scratch: RuleScratch; readonly level: number }

/** A column of numbers; after `fill` the values of bars `start` … `start + count` lie from `at` on. */
export type Operand = {
  readonly values: Float64Array
  at: number
  readonly fill: (start: number, count: number) => void
}

/**
 * Turns an expression into loops that calculate it some bars at a time, at most a block and the bar before it.
 * @throws {TypeError} when a column is missing
 */
export function compileNumeric(ast: NumericNode, place: Place): Operand {
  switch (ast.kind) {
    case 'number':
      return compileScratch(place, (values, _start, count) => values.fill(ast.value, 0, count))
    case 'reference':
      return compileReference(ast.name, place.columns)
    case 'negate': {
      const operand = compileNumeric(ast.operand, place)
      return compileScratch(place, (values, start, count) => {
        operand.fill(start, count)
        negate(operand, values, count)
      })
    }
    case 'arithmetic': {
      const left = compileNumeric(ast.left, place)
      const right = compileNumeric(ast.right, { ...place, level: place.level + 1 })
      return compileScratch(place, (values, start, count) => {
        left.fill(start, count)
        right.fill(start, count)
        calculate(ast.operator, { left, right }, values, count)
      })
    }
    default:
      return ast satisfies never
  }
}

/** A column of the strategy is read where it lies. */
function compileReference(name: string, columns: Columns): Operand {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined
  if (column === undefined) throw new TypeError(`the rule refers to '${name}', but there is no such column`)
  const window = column instanceof Float64Array ? { values: column, first: 0 } : column
  const operand: Operand = {
    values: window.values,
    at: 0,
    fill(start) {
      operand.at = start - window.first
    },
  }
  return operand
}

/** What is calculated lies in the scratch column of its level, from the beginning. */
function compileScratch(
  { scratch, level }: Place,
  calculateInto: (values: Float64Array, start: number, count: number) => void,
): Operand {
  const values = scratch.numbers(level)
  const operand: Operand = {
    values,
    at: 0,
    fill(start, count) {
      operand.at = 0
      calculateInto(values, start, count)
    },
  }
  return operand
}
