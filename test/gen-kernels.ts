import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Compiles the AssemblyScript of `src/model/kernels` and writes `src/model/kernels.gen.ts`. With `--check` it writes
 * nothing and fails when the file is stale.
 */
const folder = fileURLToPath(new URL('../src/model/kernels/', import.meta.url))
export const kernelsFile = fileURLToPath(new URL('../src/model/kernels.gen.ts', import.meta.url))

/** Base instructions only: relaxed ones may round differently from one processor to the next. */
const options = [
  ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'],
  ...['--runtime', 'stub', '--enable', 'simd', '--importMemory', '--noExportMemory'],
  // Whatever the kernels need to remember is written by the caller; the first page stays empty.
  ...['--initialMemory', '1', '--maximumMemory', '65536', '--zeroFilledMemory'],
]

/** What is used of the compiler. Its own types would replace the global `console` of every file. */
type Compiler = {
  readonly main: (
    args: readonly string[],
    files: {
      readonly readFile: (name: string) => string | null
      readonly writeFile: (name: string, contents: Uint8Array) => unknown
      readonly listFiles: () => string[]
    },
  ) => Promise<{ readonly error: Error | null; readonly stderr: { toString(): string } }>
}

/**
 * Compiles the kernels.
 * @returns the text of `src/model/kernels.gen.ts`: the same on every machine for the same version of the compiler
 * @throws with the compiler's messages
 */
export async function compileKernels(): Promise<string> {
  const name: string = 'assemblyscript/asc'
  const { default: compiler }: { default: Compiler } = await import(name)
  const written: Uint8Array[] = []
  const { error, stderr } = await compiler.main(['index.ts', '--outFile', 'kernels.wasm', ...options], {
    readFile: readSource,
    writeFile: (_name, contents) => written.push(contents),
    listFiles: () => [],
  })
  const [wasm] = written
  if (error !== null || wasm === undefined)
    throw new Error(`${error?.message ?? 'no output'}\n${stderr.toString()}`)
  return render(wasm)
}

/** The compiler asks for `.ts`; the sources have a name of their own, since TypeScript cannot read them. */
function readSource(name: string): string | null {
  try {
    return readFileSync(`${folder}${basename(name, '.ts')}.as`, 'utf8')
  } catch {
    return null
  }
}

function render(wasm: Uint8Array): string {
  const lines =
    Buffer.from(wasm)
      .toString('base64')
      .match(/.{1,120}/g) ?? []
  return `// Compiled from src/model/kernels by test/gen-kernels.ts. Do not edit.

/** The kernels as a WebAssembly module, ${wasm.length} bytes, in base64. */
export const kernelsBase64 =
  '${lines.join("' +\n  '")}'
`
}

if (import.meta.main) {
  const text = await compileKernels()
  if (!process.argv.includes('--check')) writeFileSync(kernelsFile, text)
  else if (readFileSync(kernelsFile, 'utf8') !== text) {
    console.error('src/model/kernels.gen.ts is stale: run npm run gen')
    process.exit(1)
  }
}
