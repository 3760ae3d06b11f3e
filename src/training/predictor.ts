import { assembleFeatures } from '../features/feature-matrix.ts'
import { windowEnds } from '../features/feature-table.ts'
import { joinFeatures, type SymbolBars } from '../features/pipeline.ts'
import { type Checkpoint, normaliseInChunks, type SessionBars } from '../features/pipeline-columns.ts'
import { fittingOf } from '../features/pipeline-fit.ts'
import type { ModelSpec } from '../model/model-spec.ts'
import { Predictor } from '../model/predictor.ts'
import { Problem } from '../problems.ts'
import type { ServedModel } from './served-model.ts'

/** What a model says of the bars of one symbol. */
export type Prediction = {
  /** The base bars that were read. */
  readonly base: SessionBars
  /** Indexes of the base bars with an answer, ascending: bars in the warm-up and bars that lack a feature have none. */
  readonly bar: Int32Array
  /** Answers × outputs, row-major: probabilities of the classes, or values. */
  readonly outputs: Float32Array
}

/** Rows a window has: 1 unless the network is recurrent. */
export const windowOf = (spec: ModelSpec): number => (spec.kind === 'mlp' ? 1 : spec.sequenceLength)

/**
 * A trained model, ready to answer. Features are made as for training, by the same pipeline, with the normalisers that
 * were fitted then. An answer depends on the bars that had closed by the close of its own bar, and on nothing else.
 */
export class ModelPredictor {
  readonly served: ServedModel
  private readonly network: Predictor

  /** @throws {Problem} 'params-invalid' when the weights are not those of the network, or are too many */
  constructor(served: ServedModel) {
    checkServed(served)
    this.served = served
    this.network = new Predictor(served.model)
  }

  /**
   * Answers for the base bars from index `from` on.
   * @param symbol bars of every timeframe the model reads, oldest first, and as many before `from` as warm them up
   * @param checkpoint called every few milliseconds; it may throw to stop the work
   * @throws {Problem} 'bars-missing' when a timeframe is absent, 'params-invalid' when a feature is beyond float32
   */
  predict(symbol: SymbolBars, from = 0, checkpoint: Checkpoint = () => {}): Prediction {
    const { recipe, normalisers, model, output } = this.served
    const { base, columns } = joinFeatures(recipe, symbol, checkpoint)
    const scaled = columns.map(column => {
      const normaliser = normalisers[column.id]
      if (normaliser === undefined) return column
      return { ...column, values: normaliseInChunks(column.values, normaliser, checkpoint) }
    })
    const length = windowOf(model.spec)
    const first = Math.max(0, Math.min(from, base.length) - (length - 1))
    const matrix = assembleFeatures({ columns: scaled, bars: base, from: first, checkpoint })
    const spans = [{ symbol: symbol.symbol, from: 0, to: matrix.rows }]
    const ends = windowEnds({ symbols: spans, bar: matrix.bar }, length)
    const rows = ends.filter(row => (matrix.bar[row] as number) >= from)
    const outputs =
      output.kind === 'classification'
        ? this.network.probabilities(matrix.values, rows, checkpoint)
        : this.network.values(matrix.values, rows, checkpoint)
    return { base, bar: rows.map(row => matrix.bar[row] as number), outputs }
  }
}

/** The answers of a stored model. @throws {Problem} as the constructor of `ModelPredictor` */
export const loadModel = (served: ServedModel): ModelPredictor => new ModelPredictor(served)

/** Inputs, outputs and normalisers must be those of the network: one that is not would answer nonsense. */
function checkServed({ recipe, normalisers, model: { spec }, output }: ServedModel): void {
  const { features } = recipe
  if (features.length !== spec.inputs)
    throw unfit(`the network has ${spec.inputs} inputs for ${features.length} features`)
  const outputs = output.kind === 'classification' ? output.classes.length : 1
  if (outputs !== spec.outputs)
    throw unfit(`the network has ${spec.outputs} outputs where ${outputs} are meant`)
  const bare = features.find(
    feature => fittingOf(recipe, feature) !== 'none' && !Object.hasOwn(normalisers, feature.id),
  )
  if (bare !== undefined) throw unfit(`the feature ${bare.id} has no normaliser`)
}

const unfit = (why: string): Problem =>
  new Problem('params-invalid', `this is no model to answer with: ${why}`)
