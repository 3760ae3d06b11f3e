/** Small files that change, or that lists are made of: every node keeps them. */
export const isKeptEverywhere = (path: string): boolean =>
  /^(bars\/[^/]+\/[^/]+\/manifest\.json|strategies\/[^/]+\.yaml|strategy-versions\/[^/]+\/[^/]+\.yaml|models\/[^/]+\/(manifest|published)\.json)$/.test(
    path,
  )

/** Files that lie in their row: too small for an object, or needed to know what else is. */
export const isInline = (path: string): boolean =>
  isKeptEverywhere(path) || /^(bars\/.*\/versions\/.*\.json|snapshots\/.*\.yaml)$/.test(path)
