import type { CalendarDefinition } from '../market/calendar.ts'
import { Calendars } from '../market/calendars.ts'
import { doTask, type TaskKind, type TaskShapes } from './tasks.ts'
import { maxInlineRows, Threads } from './threads.ts'

/** What a thread is told: its task, and the calendars of the operator, which it builds again. */
export type TaskMessage = {
  readonly kind: TaskKind
  readonly data: TaskShapes[TaskKind]['data']
  readonly calendars: readonly CalendarDefinition[]
}

/** Does tasks over stored tables: short ones at once, long ones in threads, two at a time. */
export class TaskRunner {
  private readonly calendars: Calendars
  private readonly threads = new Threads()

  constructor(calendars: Calendars = new Calendars()) {
    this.calendars = calendars
  }

  /**
   * @param rows how many rows the task has to read
   * @throws {Problem} as the task does
   */
  async run<K extends TaskKind>(
    kind: K,
    data: TaskShapes[K]['data'],
    rows: number,
  ): Promise<TaskShapes[K]['result']> {
    if (rows <= maxInlineRows) return doTask(kind, data, this.calendars)
    const message: TaskMessage = { kind, data, calendars: this.calendars.configured }
    return this.threads.run<TaskShapes[K]['result']>({
      file: new URL('./task-thread.ts', import.meta.url),
      data: message,
    })
  }
}
