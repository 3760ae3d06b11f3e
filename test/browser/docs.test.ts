import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type Program, startProgram, stopPrograms } from '../support/program.ts'

/** Debian's Chromium. Without one these tests say so and do not run; in CI that is an error. */
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
)
if (executablePath === undefined) {
  if (process.env.CI === 'true') throw new Error('no Chromium: apt-get install chromium')
  console.warn('THE BROWSER TESTS DID NOT RUN: no Chromium was found. apt-get install chromium')
}

const suite = executablePath === undefined ? describe.skip : describe

suite('the documentation in a browser', () => {
  let program: Program
  let browser: Browser
  beforeAll(async () => {
    program = await startProgram()
    browser = await chromium.launch({
      executablePath: executablePath ?? '',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await stopPrograms()
  })

  /** A page that keeps account of every request off the machine and every error. */
  const open = async (path: string): Promise<{ page: Page; outside: string[]; errors: string[] }> => {
    const page = await browser.newPage()
    const outside: string[] = []
    const errors: string[] = []
    await page.route('**/*', route => {
      const url = route.request().url()
      if (url.startsWith(program.url) || /^(data|blob):/.test(url)) return route.continue()
      outside.push(url)
      return route.abort()
    })
    page.on('console', message => {
      if (message.type() === 'error') errors.push(message.text())
    })
    page.on('pageerror', error => errors.push(error.message))
    await page.goto(program.url + path)
    return { page, outside, errors }
  }

  test('Swagger UI renders every operation, asks nothing of other machines and logs no error', async () => {
    const { page, outside, errors } = await open('/api/v1/docs/')
    await page.waitForSelector('.opblock-summary')
    expect(await page.locator('.opblock').count()).toBeGreaterThan(25)
    expect([outside, errors]).toEqual([[], []])
    await page.close()
  }, 60_000)

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
  }, 60_000)

  test('ReDoc renders the contract, asks nothing of other machines and logs no error', async () => {
    const { page, outside, errors } = await open('/api/v1/redoc')
    await page.waitForSelector('[data-section-id]', { timeout: 30_000 })
    await page.getByText('Start an operation').first().waitFor({ state: 'attached' })
    expect([outside, errors]).toEqual([[], []])
    await page.close()
  }, 60_000)
})
