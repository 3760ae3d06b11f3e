import { Problem } from '../problems.ts'
import { nearest } from '../strategy/nearest.ts'
import { datasetFolders } from './dataset-folders.ts'
import type { DatasetName } from './layout.ts'
import { readManifest } from './manifest.ts'

/** What is answered for a dataset there is none of; its hint names what is stored and may be meant. */
export async function datasetNotFound({ home, symbol, timeframe }: DatasetName): Promise<Problem> {
  const hint = await hintOf(home, symbol)
  return new Problem('dataset-not-found', `There are no bars of ${symbol} ${timeframe}.`, { hint })
}

async function hintOf(home: string, symbol: string): Promise<string> {
  const folders = await datasetFolders(home)
  const own = await storedTimeframes(folders, symbol)
  if (own.length > 0) return `${symbol} is stored in ${own.join(', ')}.`
  const others = new Set(folders.map(folder => folder.symbol).filter(name => name !== symbol))
  const guess = nearest(symbol, [...others])
  const theirs = guess === null ? [] : await storedTimeframes(folders, guess)
  if (theirs.length > 0) return `Did you mean ${guess}? It is stored in ${theirs.join(', ')}.`
  return 'GET /api/v1/datasets lists what is stored.'
}

/** Folders stay for a while after their dataset was removed. */
async function storedTimeframes(folders: readonly DatasetName[], symbol: string): Promise<readonly string[]> {
  const manifests = await Promise.all(folders.filter(folder => folder.symbol === symbol).map(readManifest))
  return manifests.flatMap(manifest => (manifest === null ? [] : [manifest.timeframe]))
}
