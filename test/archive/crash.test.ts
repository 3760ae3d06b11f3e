import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { BarsArchive } from '../../src/archive/bars.ts'
import { makeHome, makeMinuteBars } from './folder.ts'

const program = fileURLToPath(new URL('./committing-process.ts', import.meta.url))
const kills = 6

test('a process that is killed while it commits leaves the old version or the new one', async () => {
  const home = makeHome()
  const archive = new BarsArchive(home)
  let stored = 0
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(process.execPath, [program, home], { stdio: ['ignore', 'pipe', 'inherit'] })
    // It tells each page it commits: killed somewhere behind the one that this round waits for.
    let told = 0
    child.stdout.on('data', (lines: Buffer) => {
      told += lines.toString().split('\n').length - 1
      if (told > kill * 3) child.kill('SIGKILL')
    })
    await once(child, 'exit')
    const manifest = await archive.manifest('AAPL', '1m')
    const bars = archive.read('AAPL', '1m', manifest?.sha256 ?? '')
    expect(bars.length).toBeGreaterThanOrEqual(stored + kill * 3 * 10)
    expect(bars).toEqual(makeMinuteBars(bars.length, Date.UTC(2023, 10, 30, 22)))
    expect(manifest?.fetched).toEqual([{ start: 0, end: bars.length }])
    stored = bars.length
  }
})
