import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chartData } from './chart-data.ts'
import { embedJson, escapeHtml } from './html.ts'
import type { ReportInput } from './report-input.ts'
import {
  configurationSection,
  drawdownsSection,
  headerSection,
  headlineSection,
  metricsSection,
  monthsSection,
  splitsSection,
  tradesSection,
} from './sections.ts'

/** Parts of the page that are the same for every report; read once, when the first one is made. */
let parts: { readonly style: string; readonly script: string } | null = null

/**
 * One HTML file with everything in it: it opens without a network, and what it shows are the numbers of the API.
 * The same input gives the same bytes.
 */
export function renderReport(input: ReportInput): string {
  parts ??= readParts()
  const charts = ['equity', 'drawdown', 'exposure', 'prices']
    .map(id => `<section id="${id}" class="chart"></section>`)
    .join('')
  const body = [
    headerSection(input),
    headlineSection(input),
    charts,
    monthsSection(input),
    drawdownsSection(input),
    splitsSection(input),
    metricsSection(input),
    tradesSection(input),
    configurationSection(input),
  ].join('\n')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(input.title)}</title>
<link rel="icon" href="data:,">
<style>${parts.style}</style>
</head>
<body>
${body}
<script type="application/json" id="chart-data">${embedJson(chartData(input))}</script>
<script>${parts.script}</script>
</body>
</html>
`
}

function readParts() {
  const read = (path: string | URL) => readFileSync(path, 'utf8')
  const uplot = (file: string) => read(createRequire(import.meta.url).resolve(`uplot/dist/${file}`))
  const own = (file: string) => read(new URL(`./page/${file}`, import.meta.url))
  return {
    style: uplot('uPlot.min.css') + own('report.css'),
    script: `${uplot('uPlot.iife.min.js')}\n${own('report.js')}`,
  }
}
