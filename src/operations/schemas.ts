import type { ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { type FieldError, Problem } from '../problems.ts'
import { paramsSchemaOf, resultSchemaOf } from './catalogue.ts'
import type { OperationType, Params, Result } from './operation.ts'

/** Checks parameters and results at the thread boundary, with the component schemas of openapi.yaml. */
export class Schemas {
  readonly #ajv: Ajv2020
  readonly #compiled = new Map<string, ValidateFunction>()

  /** @param components the document's `components`, with `schemas` in it */
  constructor(components: object) {
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, useDefaults: true })
    // ajv-formats is CommonJS: its default export is the module object for TypeScript, the function at run time.
    ;(addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv)
    this.#ajv.addSchema({ $id: 'contract', components })
  }

  /** @returns a copy with the defaults filled in  @throws {Problem} 'params-invalid' */
  params(type: OperationType, params: Params): Params {
    const copy = structuredClone(params)
    const validate = this.#validator(paramsSchemaOf(type))
    if (validate(copy)) return copy
    const errors = faults(validate)
    throw new Problem(
      'params-invalid',
      `${type}: ${errors.map(error => `${error.pointer} ${error.message}`).join('; ')}`,
      { errors },
    )
  }

  /** @throws {Error} when a worker returned something else than the contract promises: a bug of the worker */
  result(type: OperationType, result: unknown): Result {
    const validate = this.#validator(resultSchemaOf(type))
    if (validate(result)) return result as Result
    throw new Error(
      `the ${type} worker returned a result that openapi.yaml does not describe: ${JSON.stringify(faults(validate))}`,
    )
  }

  #validator(name: string): ValidateFunction {
    const known = this.#compiled.get(name)
    if (known !== undefined) return known
    const made = this.#ajv.compile({ $ref: `contract#/components/schemas/${name}` })
    this.#compiled.set(name, made)
    return made
  }
}

function faults(validate: ValidateFunction): FieldError[] {
  return (validate.errors ?? []).map(error => ({
    pointer: `/body/params${error.instancePath}`,
    code: error.keyword,
    message: error.message ?? 'is not valid',
  }))
}
