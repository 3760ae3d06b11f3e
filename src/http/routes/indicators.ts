import type { Response } from 'express'
import type { BarsArchive } from '../../archive/bars.ts'
import { renderTable } from '../../archive/render.ts'
import { type Column, type Table, tableMediaTypes } from '../../archive/tables.ts'
import { IndicatorColumns, type SessionBars } from '../../features/pipeline-columns.ts'
import { resolveReference } from '../../features/pipeline-recipe.ts'
import type { IndicatorSpec } from '../../indicators/indicator.ts'
import { findIndicator, findLabelTool, indicators, labelTools } from '../../indicators/registry.ts'
import type { LabelTool } from '../../indicators/zigzag.ts'
import { firstBarAt } from '../../market/bars.ts'
import type { Calendars } from '../../market/calendars.ts'
import type { components } from '../../openapi.gen.ts'
import { rangeOf } from '../../operations/moment.ts'
import { Problem } from '../../problems.ts'
import { resolveIndicators } from '../../strategy/indicator-map.ts'
import { suggest } from '../../strategy/nearest.ts'
import type { StrategyIndicator } from '../../strategy/strategy.ts'
import type { ApiRequest, Some } from '../handlers.ts'
import { chooseTableFormat, contentTypeOf } from '../table-format.ts'
import { postedBars, storedBars } from './calculation-bars.ts'

type Api = components['schemas']
type Resolved = Readonly<Record<string, StrategyIndicator>>

/** Values of one answer: more would hold up the other requests. */
const maxCells = 400_000

/** Indicators, and their values. */
export function indicatorRoutes(rooms: {
  readonly bars: BarsArchive
  readonly calendars: Calendars
}): Some<'listIndicators' | 'getIndicator' | 'calculateIndicators'> {
  return {
    listIndicators: (_request, response) => {
      response.json({ items: [...indicators.map(describe), ...labelTools.map(describeTool)] })
    },
    getIndicator: ({ params: { type } }, response) => {
      const spec = findIndicator(type)
      const tool = findLabelTool(type)
      if (spec !== undefined) response.json(describe(spec))
      else if (tool !== undefined) response.json(describeTool(tool))
      else {
        const known = [...indicators, ...labelTools].map(other => other.type)
        throw new Problem('not-found', `there is no indicator ${type}: ${suggest(type, known)}`)
      }
    },
    calculateIndicators: (request, response) => calculate(rooms, request, response),
  }
}

async function calculate(
  rooms: { readonly bars: BarsArchive; readonly calendars: Calendars },
  request: ApiRequest<'calculateIndicators'>,
  response: Response,
): Promise<void> {
  const { body } = request
  const format = chooseTableFormat(request)
  const resolved = resolveOrRefuse(body.indicators)
  const range = rangeOf(body, '/body')
  const bars =
    body.bars === undefined
      ? await storedBars(rooms, body, { indicators: resolved, instead: 'bars' })
      : postedBars(body.bars, body)
  const from = range.start === null ? 0 : firstBarAt(bars, range.start)
  const to = range.end === null ? bars.length : firstBarAt(bars, range.end)
  const references = Object.keys(body.indicators).flatMap(id => referencesOf(resolved, id))
  checkSize((to - from) * references.length, body.bars === undefined)
  const columns = new IndicatorColumns({ indicators: resolved }, bars)
  const part = (values: Float64Array) => values.slice(from, to)
  const values = references.map((name): Column => {
    const { unit } = resolveReference({ indicators: resolved }, name).output
    return { name, kind: 'number', unit, values: part(columns.read(name)) }
  })
  const table: Table = {
    rows: to - from,
    columns: [...timesOf(bars, body.bars === undefined, part), ...values],
  }
  const bytes = renderTable(table, format)
  response.set({ Vary: 'Accept', 'Content-Type': contentTypeOf(tableMediaTypes[format]) })
  response.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

/** Posted bars were not asked when they closed, so nothing is said about it. */
function timesOf(
  bars: SessionBars,
  isStored: boolean,
  part: (values: Float64Array) => Float64Array,
): Column[] {
  const time: Column = { name: 'time', kind: 'time', values: part(bars.time) }
  return isStored ? [time, { name: 'close_time', kind: 'time', values: part(bars.close_time) }] : [time]
}

/**
 * Indicators with their defaults filled in, each after those it reads.
 * @throws {Problem} 'params-invalid' with every fault, pointers into the body
 */
export function resolveOrRefuse(written: Api['IndicatorCalculation']['indicators']): Resolved {
  const { indicators: resolved, faults } = resolveIndicators(written)
  if (faults.length === 0) return resolved
  const errors = faults.map(({ path, code, message }) => ({
    pointer: `/body${path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`,
    code,
    message,
  }))
  throw new Problem('params-invalid', errors[0]?.message ?? 'the indicators are not valid', { errors })
}

/** The names of an indicator's columns: its id, or `id.output` for each of several outputs. */
function referencesOf(resolved: Resolved, id: string): string[] {
  const outputs = resolveReference({ indicators: resolved }, id).spec.outputs
  return outputs.length === 1 ? [id] : outputs.map(({ name }) => `${id}.${name}`)
}

function checkSize(cells: number, isStored: boolean): void {
  if (cells <= maxCells) return
  const message = `the answer would have ${cells} values, more than ${maxCells}`
  throw new Problem('params-invalid', message, {
    hint: isStored
      ? 'Ask for a shorter range or fewer indicators; the operation feature_build has no such limit.'
      : 'Post fewer bars or ask for fewer indicators; or import the bars, PUT /api/v1/datasets/{symbol}/{timeframe}, and ask for ranges of them.',
    errors: [{ pointer: '/body/indicators', code: 'too_large', message }],
  })
}

function describe(spec: IndicatorSpec): Api['IndicatorInfo'] {
  const params = Object.fromEntries(Object.entries(spec.params).map(([name, param]) => [name, param.default]))
  const { type, title, description, outputs, pane, warmUp } = spec
  return {
    type,
    title,
    description,
    params: paramsOf(spec),
    outputs: outputs.map(({ name, title: of, unit, min = null, max = null }) => ({
      name,
      title: of,
      unit,
      min,
      max,
      lookback: spec.lookback(params, name),
    })),
    pane,
    lookback: spec.lookback(params),
    stable_after: spec.stableAfter(params),
    warm_up: warmUp,
    repaints: false,
  }
}

/** What repaints has no look-back: a value may appear whenever later bars confirm it. */
function describeTool(tool: LabelTool): Api['IndicatorInfo'] {
  const { type, title, description, repaints } = tool
  return {
    type,
    title,
    description,
    params: paramsOf(tool),
    outputs: [{ name: 'value', title, unit: 'source', min: null, max: null, lookback: null }],
    pane: 'overlay',
    lookback: null,
    stable_after: null,
    warm_up: 'bars',
    repaints,
  }
}

function paramsOf({ params }: Pick<IndicatorSpec, 'params'>): Api['IndicatorInfo']['params'] {
  return Object.fromEntries(
    Object.entries(params).map(([name, param]) => [
      name,
      'enum' in param ? { ...param, enum: [...param.enum] } : { ...param },
    ]),
  )
}
