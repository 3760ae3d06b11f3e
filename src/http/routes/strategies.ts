import { stringify } from 'yaml'
import {
  maxStrategyBytes,
  readStrategy,
  type StrategyFile,
  type StrategyLibrary,
  type StrategyReading,
} from '../../archive/strategies.ts'
import { toRfc3339 } from '../../clock.ts'
import type { components } from '../../openapi.gen.ts'
import { Problem } from '../../problems.ts'
import { migrateStrategy } from '../../strategy/migrate.ts'
import { maxYamlDepth, maxYamlPieces } from '../../strategy/yaml-source.ts'
import { matchesETag } from '../etag.ts'
import type { ApiRequest, Some } from '../handlers.ts'
import { contentTypeOf } from '../table-format.ts'

type Schemas = components['schemas']
type Names =
  | 'listStrategies'
  | 'getStrategy'
  | 'putStrategy'
  | 'deleteStrategy'
  | 'listStrategyVersions'
  | 'validateStrategy'
  | 'migrateStrategy'

/** Strategy files. */
export function strategyRoutes(library: StrategyLibrary): Some<Names> {
  return {
    listStrategies: async (_request, response) => {
      response.json({ items: await library.list() })
    },
    getStrategy: async (request, response) => {
      const { name } = request.params
      const { sha256 } = request.query
      const file = sha256 === undefined ? await library.get(name) : await library.version(name, sha256)
      if (file === null)
        throw sha256 === undefined ? await library.notFound(name) : versionNotFound(name, sha256)
      const etag = `"${file.sha256}"`
      response.set({ ETag: etag, 'Cache-Control': 'private, no-cache', Vary: 'Accept' })
      if (matchesETag(request.get('If-None-Match'), etag)) {
        response.status(304).end()
        return
      }
      if (acceptsJson(request)) response.json(documentOf(file))
      else response.set('Content-Type', contentTypeOf('application/yaml')).end(file.yaml)
    },
    putStrategy: async (request, response) => {
      const yaml = textOf(request.body)
      const ifMatch = request.get('If-Match')
      const ifNoneMatch = request.get('If-None-Match')
      const { file, created } = await library.put(request.params.name, yaml, {
        ...(ifMatch === undefined ? {} : { ifMatch }),
        ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
      })
      response.set('ETag', `"${file.sha256}"`)
      response.status(created ? 201 : 200).json(documentOf(file))
    },
    deleteStrategy: async (request, response) => {
      const ifMatch = request.get('If-Match')
      await library.remove(request.params.name, ifMatch === undefined ? {} : { ifMatch })
      response.status(204).end()
    },
    listStrategyVersions: async ({ params: { name } }, response) => {
      const versions = await library.versions(name)
      if (versions.length === 0 && (await library.get(name)) === null) throw await library.notFound(name)
      const items = versions.map(version => ({ ...version, stored_at: toRfc3339(version.stored_at) }))
      response.json({ name, items } satisfies Schemas['VersionsOfStrategy'])
    },
    validateStrategy: (request, response) => {
      const reading = readStrategy(request.body, null)
      const verdict = {
        valid: reading.strategy !== null,
        name: reading.strategy?.name ?? null,
        ...toJson(reading),
      }
      response.json(verdict satisfies Schemas['StrategyVerdict'])
    },
    migrateStrategy: (request, response) => {
      const { yaml, changes } = migrateStrategy(request.body.yaml)
      response.json({ yaml, changes: [...changes] } satisfies Schemas['MigratedStrategy'])
    },
  }
}

/** @throws {Problem} 'not-acceptable' */
function acceptsJson(request: ApiRequest<'getStrategy'>): boolean {
  const accepted = request.accepts(['application/json', 'application/yaml'])
  if (accepted === false)
    throw new Problem('not-acceptable', 'Available: application/json, application/yaml.')
  return accepted === 'application/json'
}

/**
 * JSON becomes YAML that people can read; text stays as it is, comments included.
 * @throws {Problem} 'body-too-large', 'strategy-invalid'
 */
function textOf(body: string | Readonly<Record<string, unknown>>): string {
  if (typeof body !== 'string') checkExtent(body)
  const yaml = typeof body === 'string' ? body : stringify(body, { lineWidth: 110 })
  checkBytes(yaml)
  return yaml
}

/** What is large or deep is refused before it is written as YAML, which takes long and recurses. */
function checkExtent(body: object): void {
  let entries = 0
  let level: object[] = [body]
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxYamlDepth)
      throw new Problem('strategy-invalid', `The body is nested deeper than ${maxYamlDepth} levels.`)
    const values = level.flatMap((part): unknown[] => Object.values(part))
    entries += values.length
    level = values.filter(value => typeof value === 'object' && value !== null)
  }
  checkBytes(JSON.stringify(body))
  if (entries > maxYamlPieces)
    throw new Problem(
      'strategy-invalid',
      `The body has ${entries} entries, but at most ${maxYamlPieces} are read.`,
    )
}

function checkBytes(text: string): void {
  if (Buffer.byteLength(text) > maxStrategyBytes)
    throw new Problem('body-too-large', `A strategy has at most ${maxStrategyBytes} bytes.`)
}

function documentOf({ name, source, sha256, yaml }: StrategyFile): Schemas['StrategyDocument'] {
  return { name, source, sha256, yaml, ...toJson(readStrategy(yaml, name)) }
}

function toJson({
  strategy,
  errors,
  warnings,
}: StrategyReading): Pick<Schemas['StrategyVerdict'], 'strategy' | 'errors' | 'warnings'> {
  return {
    strategy: strategy === null ? null : { ...strategy },
    errors: errors.map(error => ({ ...error })),
    warnings: [...warnings],
  }
}

function versionNotFound(name: string, sha256: string): Problem {
  return new Problem('strategy-not-found', `There is no version ${sha256} of '${name}'.`, {
    hint: `GET /api/v1/strategies/${name}/versions lists those that are kept.`,
  })
}
