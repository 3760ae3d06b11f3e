import { escapeHtml, formatNumber, numberCell } from './html.ts'
import { maxListedTrades, type ReportInput, type ReportMetric } from './report-input.ts'

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** What was run, and what to be careful about, before any number. */
export function headerSection({ title, facts, warnings }: ReportInput): string {
  const told = facts.map(([label, text]) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(text)}</dd>`)
  const careful =
    warnings.length === 0
      ? ''
      : `<section id="warnings" class="warnings"><h2>Before you trust the numbers</h2><ul>${warnings
          .map(warning => `<li>${escapeHtml(warning)}</li>`)
          .join('')}</ul></section>`
  return `<header><h1>${escapeHtml(title)}</h1><dl>${told.join('')}</dl></header>${careful}`
}

/** The few numbers that are looked for first. */
export function headlineSection({ metrics, headline }: ReportInput): string {
  const tiles = headline.flatMap(name => {
    const metric = metrics.find(candidate => candidate.name === name)
    if (metric === undefined) return []
    const told = escapeHtml(metric.reason ?? metric.definition)
    return [
      `<div class="tile" title="${told}"><span>${label(name)}</span><b>${formatNumber(metric.value, metric.unit)}</b></div>`,
    ]
  })
  return `<section class="tiles">${tiles.join('')}</section>`
}

/** Every metric with its definition. */
export function metricsSection({ metrics }: ReportInput): string {
  const row = ({ name, unit, value, definition, reason }: ReportMetric) =>
    `<tr data-metric="${escapeHtml(name)}"><th scope="row">${label(name)}</th>${numberCell(value, unit)}<td>${escapeHtml(
      reason === null ? definition : `Not defined: ${reason}. ${definition}`,
    )}</td></tr>`
  return section('metrics', 'Metrics', table(['Metric', 'Value', 'Definition'], metrics.map(row)))
}

/** Returns by year and month. */
export function monthsSection({ months }: ReportInput): string {
  const rows = months.map(({ year, months: values, total }) => {
    const cells = values.map(value =>
      value === null
        ? '<td></td>'
        : `<td class="number" data-value="${value}" style="background:${heat(value)}">${formatNumber(value, 'fraction')}</td>`,
    )
    return `<tr data-year="${year}"><th scope="row">${year}</th>${cells.join('')}${numberCell(total, 'fraction')}</tr>`
  })
  return section('months', 'Returns by month (UTC)', table(['Year', ...monthNames, 'Year'], rows))
}

/** The deepest falls of the equity. */
export function drawdownsSection({ drawdowns }: ReportInput): string {
  const rows = drawdowns.map(
    ({ start, trough, end, depth_fraction, days }) =>
      `<tr><td>${escapeHtml(start)}</td><td>${escapeHtml(trough)}</td><td>${escapeHtml(end ?? 'not recovered')}</td>${numberCell(depth_fraction, 'fraction')}${numberCell(days, 'days')}</tr>`,
  )
  return section(
    'drawdowns',
    'Worst drawdowns',
    table(['High', 'Trough', 'Recovered', 'Depth', 'Days'], rows),
  )
}

/** The trades told apart. */
export function splitsSection({ splits }: ReportInput): string {
  const tables = splits.map(({ name, groups }) => {
    const rows = groups.map(
      group =>
        `<tr><th scope="row">${escapeHtml(group.name)}</th>${numberCell(group.trades, 'count')}${numberCell(group.win_rate_fraction, 'fraction')}${numberCell(group.profit_factor, 'ratio')}${numberCell(group.expectancy, 'currency')}${numberCell(group.net_pnl, 'currency')}</tr>`,
    )
    return table([name, 'Trades', 'Won', 'Profit factor', 'Expectancy', 'Net P&L'], rows)
  })
  return section('splits', 'Trades told apart', tables.join(''))
}

/** The trades, as many as a page can show. */
export function tradesSection({ trades, tradesTotal }: ReportInput): string {
  const listed = trades.slice(0, maxListedTrades)
  const rows = listed.map(
    trade =>
      `<tr><td class="number">${trade.trade_id}</td><td>${escapeHtml(trade.symbol)}</td><td>${escapeHtml(trade.side)}</td><td>${time(trade.entry_time)}</td>${numberCell(trade.entry_price, 'ratio')}<td>${time(trade.exit_time)}</td>${numberCell(trade.exit_price, 'ratio')}${numberCell(trade.units, 'count')}${numberCell(trade.net_pnl, 'currency')}${numberCell(trade.return_fraction, 'fraction')}<td>${escapeHtml(trade.exit_reason)}${trade.ambiguous ? ' (ambiguous)' : ''}</td></tr>`,
  )
  const left =
    tradesTotal > listed.length
      ? `<p>The first ${listed.length} of ${tradesTotal} trades; the artifact <code>trades</code> has them all.</p>`
      : ''
  const head = [
    '#',
    'Symbol',
    'Side',
    'Entry',
    'Price',
    'Exit',
    'Price',
    'Units',
    'Net P&L',
    'Return',
    'Reason',
  ]
  return section('trades', 'Trades', left + table(head, rows))
}

/** What ran, in full. */
export function configurationSection({ configuration }: ReportInput): string {
  return section(
    'configuration',
    'Configuration',
    `<pre>${escapeHtml(JSON.stringify(configuration, null, 2))}</pre>`,
  )
}

function section(id: string, title: string, body: string): string {
  return `<section id="${id}"><h2>${escapeHtml(title)}</h2>${body}</section>`
}

function table(head: readonly string[], rows: readonly string[]): string {
  const cells = head.map(name => `<th scope="col">${escapeHtml(name)}</th>`).join('')
  return `<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function label(name: string): string {
  return escapeHtml(name.replace(/_fraction$/, '').replaceAll('_', ' '))
}

/** To the minute, UTC. */
function time(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')
}

/** Green for a gain, red for a loss, full from 10 % on. */
function heat(value: number): string {
  const strength = Math.min(1, Math.abs(value) / 0.1) * 0.55
  return value >= 0 ? `rgba(34,160,90,${strength.toFixed(3)})` : `rgba(208,60,60,${strength.toFixed(3)})`
}
