import { toRfc3339 } from '../clock.ts'
import type { components } from '../openapi.gen.ts'
import { catalogue } from './catalogue.ts'
import type { OperationRecord, StoredLogLine, StoredMetricPoint } from './operation.ts'
import { operationPath } from './present.ts'

type Api = components['schemas']

/** @param points one more than `limit` where there are more */
export function presentMetrics(
  record: OperationRecord,
  points: readonly StoredMetricPoint[],
  after: number,
  limit: number,
): Api['OperationMetrics'] {
  const page = points.slice(0, limit)
  const series = Object.entries(catalogue[record.type].series).map(([name, units]) => ({
    name,
    units: { ...units },
    points: page.filter(point => point.name === name).map(presentPoint),
  }))
  return {
    operation_id: record.operation_id,
    series,
    next_after: page.at(-1)?.seq ?? after,
    more: points.length > limit,
  }
}

/** @param lines one more than `limit` where there are more */
export function presentLogs(
  record: OperationRecord,
  lines: readonly StoredLogLine[],
  after: number,
  limit: number,
): Api['OperationLogs'] {
  const page = lines.slice(0, limit)
  return {
    operation_id: record.operation_id,
    items: page.map(presentLine),
    next_after: page.at(-1)?.seq ?? after,
    more: lines.length > limit,
  }
}

export const presentPoint = ({ seq, attempt, at, values }: StoredMetricPoint): Api['MetricPoint'] => ({
  seq,
  attempt,
  at: toRfc3339(at),
  values,
})

export const presentLine = ({ seq, attempt, at, level, message }: StoredLogLine): Api['LogLine'] => ({
  seq,
  attempt,
  at: toRfc3339(at),
  level,
  message,
})

export function presentCheckpoints(record: OperationRecord): Api['CheckpointList'] {
  return {
    items: record.checkpoints.map(({ attempt, saved_at, label, size_bytes, sha256, best }, index) => ({
      attempt,
      saved_at: toRfc3339(saved_at),
      label,
      size_bytes,
      sha256,
      last: index === 0,
      best,
    })),
  }
}

export function presentArtifacts(record: OperationRecord): Api['ArtifactList'] {
  return {
    items: record.artifacts.map(({ name, media_type, size_bytes, sha256, rows }) => ({
      name,
      media_type,
      size_bytes,
      sha256,
      rows,
      url: `${operationPath(record.operation_id)}/artifacts/${name}`,
    })),
  }
}
