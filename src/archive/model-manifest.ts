import { toRfc3339OrNull } from '../clock.ts'
import type { FittedNormaliser } from '../features/normaliser.ts'
import { type FeatureRecipe, timeframesOf } from '../features/pipeline-recipe.ts'
import { type ModelSpec, parametersOf } from '../model/model-spec.ts'
import type { components } from '../openapi.gen.ts'
import type { ModelDecisions } from '../strategy/strategy.ts'
import type { ModelOutput, ServedModel } from '../training/served-model.ts'
import type { TrainedModel } from '../training/trained-model.ts'

/** What a manifest says, as the API shows it. */
export type ModelContent = components['schemas']['ModelContent']
export type ModelFile = ModelContent['files'][number]

/** The files of a bundle besides its manifest, and what they are. */
export const modelFileTypes = {
  'weights.safetensors': 'application/octet-stream',
  'model.onnx': 'application/octet-stream',
  'strategy.yaml': 'application/yaml',
} as const

export type ModelFileName = keyof typeof modelFileTypes

/** The parts of a manifest that answers are made with; their shapes are those of the program, not of the API. */
type Served = {
  readonly timeframes: readonly FeatureRecipe['base'][]
  readonly network: ModelSpec
  readonly output: ModelOutput
  readonly decisions: ModelDecisions
  readonly pipeline: {
    readonly base_timeframe: FeatureRecipe['base']
    readonly indicators: FeatureRecipe['indicators']
    readonly fuzzy_sets: FeatureRecipe['fuzzySets']
    readonly features: FeatureRecipe['features']
    readonly normalisers: Readonly<Record<string, FittedNormaliser>>
  }
}

/** What is written into `manifest.json`. It neither names its model nor says when it was made: it is what is hashed. */
export type ModelManifest = Omit<ModelContent, keyof Served> & Served

/** Of the layout below; another one would be read by another function. */
const format = 1

/** The manifest of a trained model. @param files all of its other files */
export function manifestOf(
  trained: TrainedModel,
  { recipe, normalisers, model, output, decisions }: ServedModel,
  files: readonly ModelFile[],
): ModelManifest {
  const sizes = parametersOf(model.spec).map(({ shape }) =>
    shape.reduce((product, size) => product * size, 1),
  )
  return {
    format,
    strategy: trained.strategy_name,
    version: trained.code_version,
    seed: trained.seed,
    symbols: [...trained.symbols],
    timeframes: timeframesOf(recipe),
    adjustment: trained.adjustment,
    datasets: datasetsOf(trained),
    ranges: {
      train: partOf(trained, 'train'),
      validation: partOf(trained, 'validation'),
      test: partOf(trained, 'test'),
    },
    labels: { ...trained.labels },
    output,
    decisions,
    network: model.spec,
    parameters: sizes.reduce((sum, size) => sum + size, 0),
    pipeline: pipelineOf({ recipe, normalisers }),
    training: { ...trained.config, best_epoch: trained.best_epoch },
    metrics: { ...trained.metrics },
    baselines: { ...trained.baselines },
    files: files.map(file => ({ ...file })),
  }
}

function pipelineOf({
  recipe,
  normalisers,
}: Pick<ServedModel, 'recipe' | 'normalisers'>): Served['pipeline'] {
  const { base: base_timeframe, indicators, fuzzySets: fuzzy_sets, features } = recipe
  return { base_timeframe, indicators, fuzzy_sets, features, normalisers }
}

/** The bytes a model's identity is the hash of: equal manifests give equal bytes. */
export function manifestBytes(manifest: ModelManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)
}

/**
 * The manifest of bytes whose hash has been checked: this program wrote them, or an older one.
 * @returns null when it is none that this program can read
 */
export function parseManifest(bytes: Uint8Array): ModelManifest | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return isManifest(value) ? value : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** A name of a file that is not one of ours could lead out of the folder. */
function isManifest(value: unknown): value is ModelManifest {
  if (typeof value !== 'object' || value === null) return false
  const { format: written, files } = value as Partial<Record<keyof ModelManifest, unknown>>
  return written === format && Array.isArray(files) && files.every(isKnownFile)
}

function isKnownFile(file: unknown): boolean {
  if (typeof file !== 'object' || file === null || !('name' in file)) return false
  return typeof file.name === 'string' && Object.hasOwn(modelFileTypes, file.name)
}

/** What a manifest says of how to answer; the weights lie in a file of their own. */
export function servedBy(manifest: ModelManifest): Omit<ServedModel, 'model'> {
  const { output, decisions, pipeline } = manifest
  const { base_timeframe: base, indicators, fuzzy_sets: fuzzySets, features, normalisers } = pipeline
  return { recipe: { base, indicators, fuzzySets, features }, normalisers, output, decisions }
}

/** Versions stand symbol by symbol, each in the order of the timeframes. */
function datasetsOf({ symbols, timeframes, dataset_sha256 }: TrainedModel): ModelContent['datasets'] {
  const names = symbols.flatMap(symbol => timeframes.map(timeframe => ({ symbol, timeframe })))
  return names.map((name, i) => ({ ...name, sha256: dataset_sha256[i] ?? '' }))
}

function partOf(
  { ranges, metrics }: TrainedModel,
  part: keyof TrainedModel['ranges'],
): ModelContent['ranges']['train'] {
  const range = ranges[part]
  const measured = metrics[part]
  if (range === null || measured === null) return null
  const finite = (ms: number) => toRfc3339OrNull(Number.isFinite(ms) ? ms : null)
  return { from: finite(range.from), to: finite(range.to), rows: measured.rows }
}
