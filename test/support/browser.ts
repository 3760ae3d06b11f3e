import { existsSync } from 'node:fs'
import { describe } from '@jest/globals'
import { type Browser, chromium, type Page } from 'playwright-core'

/** Debian's Chromium. Without one these tests say so and do not run; in CI that is an error. */
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
)
if (executablePath === undefined) {
  if (process.env.CI === 'true') throw new Error('no Chromium: apt-get install chromium')
  console.warn('THE BROWSER TESTS DID NOT RUN: no Chromium was found. apt-get install chromium')
}

/** `describe` where there is a browser. */
export const browserSuite = executablePath === undefined ? describe.skip : describe

/** A browser that by itself asks nothing of the network. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
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
}

/** A page that keeps account of every request to another place than `home`, all refused, and of every error. */
export async function openPage(
  browser: Browser,
  home: string,
  url: string,
): Promise<{ page: Page; outside: string[]; errors: string[] }> {
  const page = await browser.newPage()
  const outside: string[] = []
  const errors: string[] = []
  await page.route('**/*', route => {
    const asked = route.request().url()
    if (asked.startsWith(home) || /^(data|blob):/.test(asked)) return route.continue()
    outside.push(asked)
    return route.abort()
  })
  page.on('console', message => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', error => errors.push(error.message))
  await page.goto(url)
  return { page, outside, errors }
}
