import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { browserSuite, launchBrowser, openPage } from '../support/browser.ts'
import { type Program, startProgram, stopPrograms } from '../support/program.ts'

browserSuite('the documentation in a browser', () => {
  let program: Program
  let browser: Browser
  beforeAll(async () => {
    program = await startProgram()
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await stopPrograms()
  })

  const open = (path: string) => openPage(browser, program.url, program.url + path)

  test('Swagger UI renders every operation, asks nothing of other machines and logs no error', async () => {
    const { page, outside, errors } = await open('/api/v1/docs/')
    await page.waitForSelector('.opblock-summary')
    expect(await page.locator('.opblock').count()).toBeGreaterThan(25)
    expect([outside, errors]).toEqual([[], []])
    await page.close()
  })

  test('"Try it out" starts an operation from Swagger UI', async () => {
    const { page, outside, errors } = await open('/api/v1/docs/')
    const block = page
      .locator('.opblock', { has: page.locator('[data-path="/api/v1/operations"]') })
      .filter({ hasText: 'POST' })
      .first()
    await block.locator('.opblock-summary').first().click()
    const tryIt = block.getByRole('button', { name: 'Try it out' })
    if (await tryIt.isVisible()) await tryIt.click()
    await block.getByRole('button', { name: 'Execute' }).click()
    const live = block.locator('.live-responses-table tbody .response-col_status').first()
    await live.waitFor()
    expect(await live.innerText()).toMatch(/^202/)
    const list = await program.get<{ items: { operation_id: string; type: string }[] }>('/api/v1/operations')
    expect(list.body.items.map(({ type }) => type)).toEqual(['data_download'])
    expect(await program.end(list.body.items[0]?.operation_id ?? '')).toMatchObject({ status: 'completed' })
    expect([outside, errors]).toEqual([[], []])
    await page.close()
  })

  test('ReDoc renders the contract, asks nothing of other machines and logs no error', async () => {
    const { page, outside, errors } = await open('/api/v1/redoc')
    await page.waitForSelector('[data-section-id]', { timeout: 30_000 })
    await page.getByText('Start an operation').first().waitFor({ state: 'attached' })
    expect([outside, errors]).toEqual([[], []])
    await page.close()
  })
})
