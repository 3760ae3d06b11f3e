import type { ClassScores } from './class-metrics.ts'
import type { EpochMetrics } from './epoch-metrics.ts'
import type { LeakageSuspect } from './leakage.ts'
import type { ShuffledTraining } from './shuffled-training.ts'

/** What a reader of a training should know, in words. */
export type Finding = {
  readonly kind:
    | 'overfitting'
    | 'plateau'
    | 'class_imbalance'
    | 'one_answer'
    | 'dead_units'
    | 'leakage'
    | 'shuffled_labels'
  readonly message: string
}

export type Examined = {
  readonly history: readonly EpochMetrics[]
  readonly bestEpoch: number
  /** Whether epochs were left out because nothing got better. */
  readonly stoppedEarly: boolean
  /** Rows of the training part by class; empty for regression. */
  readonly trainClasses: readonly { readonly name: string; readonly count: number }[]
  /** On the part that is measured last; null for regression. */
  readonly measured: readonly ClassScores[] | null
  readonly deadUnits: { readonly dead: number; readonly units: number } | null
  readonly suspects: readonly LeakageSuspect[]
  /** Null where it was not run. */
  readonly shuffled: ShuffledTraining | null
}

/** Epochs that overfitting and plateaus are judged by. */
const window = 10
/** Change of a loss that counts, as a fraction. */
const change = 0.05
/** Share of the training rows below which a class is rare. */
const rare = 0.05
/** Share of hidden units. */
const manyDead = 0.25

/** In the order of what they say about the result: whether it is true, then whether it is good. */
export function findFindings(examined: Examined): readonly Finding[] {
  return [
    ...examined.suspects.map(({ feature, reason }) => ({
      kind: 'leakage' as const,
      message: `${feature} may know the future: ${reason}.`,
    })),
    ...judgeShuffled(examined),
    ...judgeHistory(examined),
    ...judgeClasses(examined),
    ...judgeUnits(examined),
  ]
}

function judgeShuffled({ shuffled }: Examined): Finding[] {
  if (shuffled === null || !shuffled.suspicious) return []
  const [own, most] = [percent(shuffled.accuracy), percent(shuffled.limit)]
  const message = `Trained on shuffled labels the model is still right on ${own} of the validation rows, chance explains up to ${most}: it is told the answers some other way.`
  return [{ kind: 'shuffled_labels', message }]
}

function judgeHistory({ history, bestEpoch, stoppedEarly }: Examined): Finding[] {
  const [last, before] = [history.at(-1), history.at(-window)]
  if (last === undefined || before === undefined) return []
  const isOverfitting =
    last.train_loss < before.train_loss * (1 - change) && last.val_loss > before.val_loss * (1 + change)
  if (isOverfitting) {
    const message = `Over the last ${window} epochs the training loss fell from ${short(before.train_loss)} to ${short(last.train_loss)}, the validation loss rose from ${short(before.val_loss)} to ${short(last.val_loss)}: the model learns its rows by heart. The model of epoch ${bestEpoch} is kept.`
    return [{ kind: 'overfitting', message }]
  }
  const waited = last.epoch - bestEpoch
  if (stoppedEarly || waited < window) return []
  const message = `The last ${waited} of ${history.length} epochs were no better than epoch ${bestEpoch}: early_stopping would save them.`
  return [{ kind: 'plateau', message }]
}

function judgeClasses({ trainClasses, measured }: Examined): Finding[] {
  const findings: Finding[] = []
  const rows = trainClasses.reduce((sum, { count }) => sum + count, 0)
  const few = trainClasses.filter(({ count }) => count < rare * rows)
  if (few.length > 0) {
    const named = few.map(({ name, count }) => `${name} (${count})`).join(', ')
    const message = `Of ${rows} training rows few are ${named}: a model can leave them out and look right. class_weights: balanced makes them count.`
    findings.push({ kind: 'class_imbalance', message })
  }
  const answered = measured?.filter(({ predicted }) => predicted > 0) ?? []
  const [only] = answered
  if (measured !== null && answered.length === 1 && only !== undefined) {
    const message = `The model says ${only.name} on every row it was measured on: it has learned no difference.`
    findings.push({ kind: 'one_answer', message })
  }
  return findings
}

function judgeUnits({ deadUnits }: Examined): Finding[] {
  if (deadUnits === null || deadUnits.dead < manyDead * deadUnits.units || deadUnits.dead === 0) return []
  const { dead, units } = deadUnits
  const message = `${dead} of ${units} hidden units have the same output on every row: a lower learning_rate or activation: leaky_relu may keep them alive.`
  return [{ kind: 'dead_units', message }]
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)}%`

const short = (loss: number): string => String(Number(loss.toPrecision(4)))
