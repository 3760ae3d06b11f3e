/** Files that one question opens, hashes or sends at the same time. */
const width = 8

/**
 * Does work for each, a few at once, and ends when all that was begun has ended. After an error nothing more is begun,
 * unless it is one that leaves the others as they are.
 * @param isAlone whether an error says nothing of the others  @throws one of the errors, such a one only if there is no other
 */
export async function forEachAFewAtOnce<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  isAlone: (error: unknown) => boolean = () => false,
): Promise<void> {
  const left = items.values()
  const failures: unknown[] = []
  let isOver = false
  const lane = async () => {
    for (const item of left) {
      try {
        await work(item)
      } catch (error) {
        if (isAlone(error)) failures.push(error)
        else {
          failures.unshift(error)
          isOver = true
        }
      }
      if (isOver) return
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane))
  if (failures.length > 0) throw failures[0]
}
