import { join } from 'node:path'
import { isTimeframe } from '../market/timeframe.ts'
import { namesIn } from './folder.ts'
import { barsFolder, type DatasetName, isName } from './layout.ts'

/** The folders that datasets may be in, by symbol, then timeframe; some may hold none. */
export async function datasetFolders(home: string): Promise<DatasetName[]> {
  const root = barsFolder(home)
  const found: DatasetName[] = []
  for (const symbol of (await namesIn(root)).filter(name => isName('symbol', name)).sort()) {
    for (const timeframe of (await namesIn(join(root, symbol))).filter(isTimeframe).sort())
      found.push({ home, symbol, timeframe })
  }
  return found
}
