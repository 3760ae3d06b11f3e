/**
 * THE state machine of an operation: status → event → status. Every guard in SQL, the terminal test, what an
 * operation `can` do and README's picture are derived from this table.
 *
 * - `progress` covers progress, metrics, logs and checkpoints. A cancelling worker may still save its checkpoint.
 * - Work that beat the cancel flag is not thrown away: `cancelling` may still complete or fail.
 * - `requeue` returns an operation whose server died or drained to the queue, as the next attempt.
 */
export const transitions = {
  pending: { start: 'running', cancel: 'cancelled' },
  running: {
    progress: 'running',
    complete: 'completed',
    fail: 'failed',
    cancel: 'cancelling',
    requeue: 'pending',
  },
  cancelling: { progress: 'cancelling', complete: 'completed', fail: 'failed', stop: 'cancelled' },
  completed: {},
  failed: { resume: 'pending', retry: 'pending' },
  cancelled: { resume: 'pending', retry: 'pending' },
} as const satisfies Record<string, Readonly<Record<string, string>>>

export type OperationStatus = keyof typeof transitions

type EventsOf<S extends OperationStatus> = keyof (typeof transitions)[S]
export type OperationEventName = { [S in OperationStatus]: EventsOf<S> }[OperationStatus]

export const statuses = Object.keys(transitions) as OperationStatus[]

const table: Readonly<Record<OperationStatus, Readonly<Record<string, OperationStatus>>>> = transitions

/** The status `event` leads to from `status`, or undefined where the table has no such arrow. */
export function next(status: OperationStatus, event: OperationEventName): OperationStatus | undefined {
  return table[status][event]
}

/** The statuses in which `event` is allowed. */
export function sourcesOf(event: OperationEventName): readonly OperationStatus[] {
  return statuses.filter(status => next(status, event) !== undefined)
}

/** Terminal: no worker holds it and nothing but an explicit resume or retry changes it. */
export function isTerminal(status: OperationStatus): boolean {
  return !['start', 'progress'].some(event => event in table[status])
}

export const terminalStatuses: readonly OperationStatus[] = statuses.filter(isTerminal)
export const activeStatuses: readonly OperationStatus[] = statuses.filter(status => !isTerminal(status))

/** README's picture. */
export function drawTransitions(): string {
  const arrows = statuses.flatMap(status =>
    Object.entries(table[status])
      .filter(([, target]) => target !== status)
      .map(([event, target]) => `    ${status} --> ${target}: ${event}`),
  )
  return [
    'stateDiagram-v2',
    '    [*] --> pending',
    ...arrows,
    ...terminalStatuses.map(status => `    ${status} --> [*]`),
  ].join('\n')
}
