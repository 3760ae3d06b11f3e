import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { browserSuite, launchBrowser, openPage } from '../support/browser.ts'
import { type Operation, type Program, startProgram, stopPrograms } from '../support/program.ts'

type Numbers = Readonly<Record<string, number | null>>

browserSuite('the report of a backtest in a browser', () => {
  let program: Program
  let browser: Browser
  let operation: Operation
  let url: string
  beforeAll(async () => {
    ;[program, browser] = await Promise.all([startProgram(), launchBrowser()])
    const download = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
    await program.end((await program.submit('data_download', download)).operation_id)
    operation = await program.end(
      (await program.submit('backtesting', { strategy: 'sma_cross' })).operation_id,
    )
    url = `${program.url}/api/v1/operations/${operation.operation_id}/artifacts/report.html`
  })
  afterAll(async () => {
    await browser?.close()
    await stopPrograms()
  })

  const metricsOf = ({ result }: Operation): Numbers =>
    result !== null && 'metrics' in result ? (result.metrics as Numbers) : {}

  /** What the page says of every metric. */
  const shownIn = async (page: Page): Promise<Numbers> => {
    const rows = await page.locator('tr[data-metric]').all()
    const entries = rows.map(async row => {
      const value = await row.locator('td.number').getAttribute('data-value')
      return [await row.getAttribute('data-metric'), value === null ? null : Number(value)] as const
    })
    return Object.fromEntries(await Promise.all(entries))
  }

  test('the API serves it as a page that draws its charts, asks for nothing and logs no error', async () => {
    const { page, outside, errors } = await openPage(browser, url, url)
    await page.waitForSelector('.uplot canvas')
    expect(await page.locator('.uplot canvas').count()).toBe(4)
    expect([outside, errors]).toEqual([[], []])
    expect(await shownIn(page)).toEqual(metricsOf(operation))
    await page.close()
  })

  test('the file alone shows the same numbers without any server', async () => {
    const bytes = Buffer.from(await (await fetch(url)).arrayBuffer())
    expect(bytes.length).toBeLessThan(2_000_000)
    const file = join(mkdtempSync(join(tmpdir(), 'ktrdr-report-')), 'report.html')
    writeFileSync(file, bytes)
    const { page, outside, errors } = await openPage(browser, `file://${file}`, `file://${file}`)
    await page.waitForSelector('.uplot canvas')
    expect([outside, errors]).toEqual([[], []])
    const shown = await shownIn(page)
    expect(shown).toEqual(metricsOf(operation))
    expect(Object.keys(shown).length).toBeGreaterThan(50)
    await page.close()
  })
})
