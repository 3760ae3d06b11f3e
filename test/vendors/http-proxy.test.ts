import { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from '@jest/globals'
import type { VendorsSettings } from '../../src/vendors/vendor.ts'
import {
  answer,
  makeSettings,
  type ProxyServer,
  startProxyServer,
  startVendorServer,
  type VendorServer,
} from './vendor-server.ts'

let vendor: VendorServer
let proxy: ProxyServer
afterEach(() => Promise.all([vendor.close(), proxy.close()]))

const http = new URL('../../src/vendors/http.ts', import.meta.url).href
const pacing = new URL('../../src/vendors/pacing.ts', import.meta.url).href

/** Asks from a thread of its own, as operations do. @returns the answer, or the problem's message */
function askInThread(settings: VendorsSettings, home: string): Promise<string> {
  const program = `
    import { parentPort, workerData } from 'node:worker_threads'
    const { askVendor } = await import(${JSON.stringify(http)})
    const { createPacing } = await import(${JSON.stringify(pacing)})
    const { settings, home } = workerData
    const signal = new AbortController().signal
    const context = { settings, signal, now: () => 0, onWait() {}, pacing: createPacing() }
    const answer = await askVendor({ vendor: 'stooq', home, path: '/bars', query: { a: 1 } }, context, text => text)
      .catch(error => error.message)
    parentPort.postMessage(answer)`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
    workerData: { settings, home },
  })
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
}

async function start() {
  vendor = await startVendorServer()
  vendor.on('/bars', answer('the truth'))
  proxy = await startProxyServer(vendor.url)
}

test('a thread asks through the configured proxy', async () => {
  await start()
  const settings = makeSettings('', { proxy: { http: proxy.url, https: null, no: null } })
  expect(await askInThread(settings, 'http://vendor.test')).toBe('the truth')
  expect(proxy.passed).toEqual(['GET http://vendor.test/bars?a=1'])
})

test('a thread asks an https vendor through a tunnel', async () => {
  await start()
  const settings = makeSettings('', { retries: 0, proxy: { http: null, https: proxy.url, no: null } })
  // The vendor behind the tunnel does not speak TLS: only that the tunnel was asked for counts here.
  expect(await askInThread(settings, 'https://vendor.test')).toContain('stooq was asked once')
  expect(proxy.passed).toEqual(['CONNECT vendor.test:443'])
})

test('hosts of NO_PROXY are asked directly', async () => {
  await start()
  const settings = makeSettings('', { proxy: { http: proxy.url, https: proxy.url, no: '127.0.0.1' } })
  expect(await askInThread(settings, vendor.url)).toBe('the truth')
  expect(proxy.passed).toEqual([])
  expect(vendor.requests.length).toBe(1)
})
