// Draws the charts of a report. It runs in a browser, from the file itself: `uPlot` is defined above it in the page.
;(() => {
  const data = JSON.parse(document.getElementById('chart-data').textContent)
  const width = () => Math.min(1100, document.body.clientWidth - 24)
  const charts = []

  /** One chart under a heading of its own. Lines: label, values, colour; without a width they are marks. */
  function draw(place, title, time, lines, unit) {
    if (time.length === 0) return
    const heading = document.createElement('h2')
    heading.textContent = title
    const figure = document.createElement('div')
    document.getElementById(place).append(heading, figure)
    const series = lines.map(({ label, color, mark, fill }) => ({
      label,
      stroke: color,
      fill,
      width: mark ? 0 : 1.5,
      spanGaps: !mark,
      points: mark ? { show: true, size: 7, fill: color, stroke: color } : { show: false },
    }))
    const options = {
      width: width(),
      height: 280,
      tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      series: [{ label: 'UTC' }, ...series],
      axes: [{}, { size: 80, label: unit }],
    }
    charts.push(new uPlot(options, [time, ...lines.map(line => line.values)], figure))
  }

  const { equity, drawdown, exposure, prices } = data
  const money = [{ label: 'Equity', values: equity.equity, color: '#1f6feb' }]
  if (equity.benchmark !== null)
    money.push({ label: 'Buy and hold', values: equity.benchmark, color: '#8a929c' })
  draw('equity', 'Equity', equity.time, money, 'account currency')
  const fall = { label: 'Drawdown', values: drawdown.drawdown, color: '#c0392b', fill: 'rgba(192,57,43,0.2)' }
  draw('drawdown', 'Drawdown', drawdown.time, [fall], '%')
  draw(
    'exposure',
    'Exposure',
    exposure.time,
    [{ label: 'Exposure', values: exposure.exposure, color: '#7d5ba6' }],
    '%',
  )
  for (const { symbol, time, close, entries, exits } of prices) {
    const lines = [
      { label: 'Close', values: close, color: '#555f6b' },
      { label: 'Entry', values: entries, color: '#1e8e5a', mark: true },
      { label: 'Exit', values: exits, color: '#d9480f', mark: true },
    ]
    draw('prices', `${symbol}: prices and trades`, time, lines, 'price')
  }
  window.addEventListener('resize', () => {
    for (const chart of charts) chart.setSize({ width: width(), height: 280 })
  })
})()
