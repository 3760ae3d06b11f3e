/**
 * Where operations run. It takes pending operations from the store when there is room, and ends each attempt through
 * `Attempts`. Promises: an operation that was accepted is started as long as some server lives; at most one attempt
 * of it is the running one; a cancelled pending operation never starts.
 */
export interface Executor {
  /** Starts to take operations. What a crash left behind has been recovered before. */
  start(): void
  /** Takes nothing new, asks everything that runs to save and give way, and kills what has not by the deadline. */
  drain(graceMs: number): Promise<void>
}
