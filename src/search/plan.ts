import { Problem } from '../problems.ts'
import { Random } from '../statistics/random.ts'
import { allowLooks } from './candidate.ts'
import { enumerateGrid } from './grid.ts'
import { drawHypercube } from './latin-hypercube.ts'
import { drawPoints } from './random-search.ts'
import { type Drawn, type Space, sizeOf, type Trial } from './space.ts'
import { roundSize, type Scored, suggestPoints } from './tpe.ts'

/** How the points of a space are chosen. */
export type SearchMethod = 'grid' | 'random' | 'latin_hypercube' | 'tpe'

/** What is asked of a search. */
export type SearchSettings = {
  readonly method: SearchMethod
  /** Of a grid: ignored, it has as many as it has points. */
  readonly trials: number
  /** Whole, 0 or more. A grid draws nothing. */
  readonly seed: number
}

/** Trials to run, and what was not taken. */
export type TrialPlan = {
  readonly trials: readonly Trial[]
  /** Points the constraints forbid, of those that were looked at: they are never run. */
  readonly excluded: number
}

/** Trials of a search at most. */
export const maxTrials = 10_000

/** Trials of a search by `tpe` at most: each is weighed against all before it. */
export const maxTpeTrials = 1_000

/**
 * The trials of a search that can be named before any has run: all of them, or the first round of `tpe`. The same for
 * the same arguments.
 * @throws {Problem} 'params-invalid' when a grid has a range without steps or too many points, when too many trials are
 * asked for, or when the constraints allow no point
 */
export function planTrials(space: Space, settings: SearchSettings): TrialPlan {
  checkSize(space, settings)
  if (settings.method === 'tpe') return nextRound(space, settings, [])
  const { points, excluded } = draw(space, settings)
  if (points.length === 0)
    refuse('constraints', 'no_trials', `the constraints forbid all ${excluded} points that were looked at`)
  return { trials: points.map((values, index) => ({ index, values })), excluded }
}

/**
 * The next trials of a search by `tpe`, none when it is over: as many as were asked for have run, or nothing is left to
 * try. It depends on what has run, not on the order in which that ended.
 * @param finished every trial so far, in the order of their index
 */
export function nextRound(
  space: Space,
  { method, trials, seed }: SearchSettings,
  finished: readonly Scored[],
): TrialPlan {
  const count = Math.min(roundSize, trials - finished.length)
  if (method !== 'tpe' || count <= 0) return { trials: [], excluded: 0 }
  const random = new Random(seed, finished.length)
  const { points, excluded } = suggestPoints(space, { finished, count }, random)
  if (points.length === 0 && finished.length === 0)
    refuse('constraints', 'no_trials', `the constraints forbid all ${excluded} points that were looked at`)
  return { trials: points.map((values, i) => ({ index: finished.length + i, values })), excluded }
}

function draw(space: Space, { method, trials, seed }: SearchSettings): Drawn {
  switch (method) {
    case 'grid':
      return enumerateGrid(space)
    case 'random':
      return drawPoints(space, { count: trials, looks: allowLooks(space) }, new Random(seed))
    case 'latin_hypercube':
      return drawHypercube(space, trials, new Random(seed))
    case 'tpe':
      throw new TypeError('tpe goes by rounds')
    default:
      return method satisfies never
  }
}

function checkSize(space: Space, { method, trials }: SearchSettings): void {
  const most = method === 'tpe' ? maxTpeTrials : maxTrials
  if (method !== 'grid') {
    if (trials > most)
      refuse('trials', 'too_many', `${trials} trials are asked for, but ${method} runs at most ${most}`)
    checkWork(space, { method, points: trials })
    return
  }
  const endless = space.axes.filter(({ count }) => count === null).map(({ path }) => path)
  if (endless.length > 0)
    refuse(
      'space',
      'no_steps',
      `a grid needs steps: give ${endless.join(', ')} a step, integer or a list of values`,
    )
  const size = sizeOf(space)
  if (size > most)
    refuse(
      'space',
      'too_many',
      `the grid has ${size} points, but at most ${most} are run: use larger steps, or random`,
    )
  checkWork(space, { method, points: size })
}

/** Every point of a grid and of a hypercube is looked at, whatever the constraints cost. */
function checkWork(
  space: Space,
  { method, points }: { readonly method: SearchMethod; readonly points: number },
): void {
  const most = allowLooks(space).left
  if (points <= most || method === 'random' || method === 'tpe') return
  const message = `the constraints are too long to be asked of ${points} points: with these, ${method} has at most ${most}; write them shorter, or use random`
  refuse('constraints', 'too_many', message)
}

function refuse(key: string, code: string, message: string): never {
  throw new Problem('params-invalid', message, {
    errors: [{ pointer: `/body/params/${key}`, code, message }],
  })
}
