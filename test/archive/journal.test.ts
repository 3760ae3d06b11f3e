import { appendFileSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { Journal } from '../../src/archive/journal.ts'
import { checkpointsFolder } from '../../src/archive/layout.ts'
import { makeHome } from '../support/worker.ts'

const id = 'op_01M8252QTSQS0PWBNP3MYCQQDX'
const work = { params: { trials: 3 }, dataset_sha256: ['a'] }
const file = (home: string, attempt: number) => join(checkpointsFolder(home, id), `${attempt}.journal`)

function write(home: string, attempt: number, entries: readonly unknown[], of: unknown = work): void {
  const journal = new Journal(home, id, attempt, of)
  for (const entry of entries) journal.append(entry)
  journal.flush()
  journal.close()
}

function read(home: string, attempt: number, of: unknown = work): readonly unknown[] {
  const journal = new Journal(home, id, attempt, of)
  journal.close()
  return journal.entries
}

test('a first attempt finds an empty journal, later ones what all before them had finished, in order', () => {
  const home = makeHome()
  expect(read(home, 1)).toEqual([])
  write(home, 1, [{ index: 0 }, { index: 1, returns: new Float64Array([0.5, Number.NaN]) }])
  write(home, 2, [{ index: 2 }])
  write(home, 10, [{ index: 3 }])
  expect(read(home, 11)).toEqual([
    { index: 0 },
    { index: 1, returns: new Float64Array([0.5, Number.NaN]) },
    { index: 2 },
    { index: 3 },
  ])
  expect(read(home, 2)).toEqual([{ index: 0 }, { index: 1, returns: new Float64Array([0.5, Number.NaN]) }])
})

test('an entry that was torn while it was written is left out, and so is all that follows a damaged one', () => {
  const home = makeHome()
  write(home, 1, ['first', 'second', 'third'])
  const { length } = readFileSync(file(home, 1))
  for (let cut = 1; cut < 10; cut++) {
    truncateSync(file(home, 1), length - cut)
    expect(read(home, 2)).toEqual(['first', 'second'])
  }
  appendFileSync(file(home, 1), Buffer.alloc(40, 7))
  expect(read(home, 2)).toEqual(['first', 'second'])
})

test('entries of other parameters or other data are not read', () => {
  const home = makeHome()
  write(home, 1, ['finished'])
  expect(read(home, 2, { ...work, dataset_sha256: ['b'] })).toEqual([])
  expect(read(home, 3)).toEqual(['finished'])
})
