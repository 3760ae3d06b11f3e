import { Problem } from '../problems.ts'
import { type Split, sortTimes, type Timed } from './splits.ts'

/** More splits than anybody trains. */
const maxSplits = 10_000

/** How many splits a combinatorial cross-validation has, and how many histories of test results they make. */
export type CombinatorialNumbers = {
  /** C(groups, testGroups). */
  readonly splits: number
  /** C(groups, testGroups) · testGroups / groups: each group is tested that many times. */
  readonly paths: number
}

/** @param groups ≥ 2  @param testGroups 1 ≤ k < groups. Source: López de Prado 2018, section 12.3. */
export function combinatorialNumbers(groups: number, testGroups: number): CombinatorialNumbers {
  let splits = 1
  for (let i = 1; i <= testGroups; i++) splits = (splits * (groups - testGroups + i)) / i
  return { splits, paths: (splits * testGroups) / groups }
}

/** A split whose test is some of the groups of time, and whose training is the rest. */
export type GroupSplit = {
  /** Indexes of the groups that are tested, ascending. */
  readonly testGroups: readonly number[]
  readonly split: Split
}

/**
 * Purged k-fold cross-validation: the rows are cut into `folds` groups in the order of time, at moments common to all
 * symbols, and each is the test once.
 * @throws {Problem} as `combinatorialFolds`
 */
export function purgedFolds(
  samples: Timed,
  plan: { readonly folds: number; readonly embargoBars: number },
  checkpoint: () => void = () => {},
): readonly GroupSplit[] {
  const { folds: groups, embargoBars } = plan
  return combinatorialFolds(samples, { groups, testGroups: 1, embargoBars }, checkpoint)
}

/**
 * One of the folds that `purgedFolds` makes, by itself.
 * @param index of the group that is tested, 0 ≤ index < folds
 * @throws {Problem} as `combinatorialFolds`
 */
export function purgedFold(
  samples: Timed,
  plan: { readonly folds: number; readonly index: number; readonly embargoBars: number },
): Split {
  const { folds: groups, index, embargoBars } = plan
  checkPlan({ groups, testGroups: 1 }, samples.rows)
  return splitTested(samples, groupRows(samples, groups), { tested: [index], embargoBars })
}

/**
 * Combinatorial purged cross-validation: every choice of `testGroups` of `groups` groups is the test once. Training
 * are the other rows whose label, from its row to its end, does not meet the time from the first row of a run of tested
 * groups to the end of its last label; after that time the first `embargoBars` bars of every symbol are left out too.
 * Validation is empty: the splits measure, and what stops a training early is cut from its training rows.
 * @param checkpoint called before every split; it may throw to stop
 * @throws {Problem} 'params-invalid' unless 2 ≤ groups ≤ rows, 1 ≤ testGroups < groups, at most 10,000 splits, and
 * when a split is left without training rows
 * Source: López de Prado 2018, sections 7.4 and 12.4.
 */
export function combinatorialFolds(
  samples: Timed,
  plan: { readonly groups: number; readonly testGroups: number; readonly embargoBars: number },
  checkpoint: () => void = () => {},
): readonly GroupSplit[] {
  const { groups, testGroups, embargoBars } = plan
  checkPlan(plan, samples.rows)
  const group = groupRows(samples, groups)
  return chooseGroups(groups, testGroups).map(tested => {
    checkpoint()
    return { testGroups: tested, split: splitTested(samples, group, { tested, embargoBars }) }
  })
}

function splitTested(samples: Timed, group: Int32Array, plan: TestedGroups): Split {
  const split = splitByGroups(samples, group, plan)
  if (split.train.length > 0 && split.test.length > 0) return split
  const part = split.train.length === 0 ? 'training' : 'test'
  throw new Problem(
    'params-invalid',
    `with groups ${plan.tested.join(', ')} as test there are no ${part} rows`,
    {
      hint: 'Use fewer groups, a longer range, labels that end sooner, or a smaller embargo.',
    },
  )
}

function checkPlan(
  { groups, testGroups }: { readonly groups: number; readonly testGroups: number },
  rows: number,
): void {
  const isPossible =
    [groups, testGroups].every(Number.isInteger) && groups >= 2 && testGroups >= 1 && testGroups < groups
  if (!isPossible || groups > rows || combinatorialNumbers(groups, testGroups).splits > maxSplits) {
    throw new Problem(
      'params-invalid',
      `${rows} rows cannot be cut into ${groups} groups, ${testGroups} for test`,
      {
        hint: `Use at least 2 groups, fewer for test than there are, and at most ${maxSplits} choices of them.`,
      },
    )
  }
}

/** Group of every row. Rows of one moment are in one group. */
function groupRows({ rows, time }: Timed, groups: number): Int32Array {
  const sorted = sortTimes(time)
  const starts = Array.from({ length: groups }, (_, k) => sorted[Math.round((k * rows) / groups)] as number)
  const group = new Int32Array(rows)
  for (let row = 0; row < rows; row++) {
    let own = groups - 1
    while ((starts[own] as number) > (time[row] as number)) own--
    group[row] = own
  }
  return group
}

/** Every choice of `count` of the numbers below `groups`, each ascending, in lexical order. */
function chooseGroups(groups: number, count: number, from = 0): readonly (readonly number[])[] {
  if (count === 0) return [[]]
  const firsts = Array.from({ length: groups - count - from + 1 }, (_, i) => from + i)
  return firsts.flatMap(first => chooseGroups(groups, count - 1, first + 1).map(rest => [first, ...rest]))
}

/** What a row is for. */
const trains = 0
const tests = 1
const isPurged = 2
const rests = 3

/** Indexes of the groups that are tested, ascending, and the bars that rest after each run of them. */
type TestedGroups = { readonly tested: readonly number[]; readonly embargoBars: number }

/** A run of tested groups: from its first row to the end of its last label, epoch ms, both inclusive. */
type Block = { from: number; to: number }

function splitByGroups(samples: Timed, group: Int32Array, { tested, embargoBars }: TestedGroups): Split {
  const { rows } = samples
  const blocks = findBlocks(samples, group, tested)
  const isTested = new Uint8Array(1 + Math.max(...tested))
  for (const index of tested) isTested[index] = 1
  const purpose = new Uint8Array(rows)
  const counts = [0, 0, 0, 0] as [number, number, number, number]
  const resting = restingRows(samples, blocks, embargoBars)
  for (let row = 0; row < rows; row++) {
    const as =
      isTested[group[row] as number] === 1
        ? tests
        : meetsAny(samples, row, blocks)
          ? isPurged
          : resting[row] === 1
            ? rests
            : trains
    purpose[row] = as
    counts[as]++
  }
  const rowsThat = (wanted: number, count: number) => {
    const chosen = new Int32Array(count)
    for (let row = 0, at = 0; at < count; row++) if (purpose[row] === wanted) chosen[at++] = row
    return chosen
  }
  return {
    train: rowsThat(trains, counts[trains]),
    validation: new Int32Array(0),
    test: rowsThat(tests, counts[tests]),
    purged: counts[isPurged],
    embargoed: counts[rests],
    embargo_bars: embargoBars,
    ranges: { train: null, validation: null, test: null },
  }
}

/** Whether a row's label, from its row to its end, has a moment in common with a block. */
function meetsAny({ time, labelEnd }: Timed, row: number, blocks: readonly Block[]): boolean {
  for (const { from, to } of blocks)
    if ((time[row] as number) <= to && (labelEnd[row] as number) >= from) return true
  return false
}

function findBlocks({ rows, time, labelEnd }: Timed, group: Int32Array, tested: readonly number[]): Block[] {
  const blockOf = new Map<number, Block>()
  const blocks: Block[] = []
  for (const index of tested) {
    const block = blockOf.get(index - 1) ?? { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY }
    if (!blocks.includes(block)) blocks.push(block)
    blockOf.set(index, block)
  }
  for (let row = 0; row < rows; row++) {
    const block = blockOf.get(group[row] as number)
    if (block === undefined) continue
    block.from = Math.min(block.from, time[row] as number)
    block.to = Math.max(block.to, labelEnd[row] as number)
  }
  return blocks
}

/** 1 for rows among the first `embargoBars` bars of their symbol after a block, counted from its first row there. */
function restingRows(
  { rows, symbol, bar, time }: Timed,
  blocks: readonly Block[],
  embargoBars: number,
): Uint8Array {
  const resting = new Uint8Array(rows)
  for (const { to } of blocks) {
    let first = -1
    for (let row = 0; row < rows; row++) {
      if ((time[row] as number) <= to) continue
      if (first < 0 || symbol[row] !== symbol[first]) first = row
      if ((bar[row] as number) - (bar[first] as number) < embargoBars) resting[row] = 1
    }
  }
  return resting
}
