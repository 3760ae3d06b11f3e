import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { ArtifactFolder, artifactPath } from '../../src/archive/artifacts.ts'

/** Stores a small and a large file; prints why that failed and what is left then, before and after it is discarded. */
const [home = '', operationId = ''] = process.argv.slice(2)
const folder = new ArtifactFolder(home, operationId, 1)
const small = folder.file('small.txt', Buffer.from('x'), 'text/plain')
folder.file('large.txt', Buffer.alloc(1_000_000), 'text/plain')
const failed = await folder.publish().then(
  () => 'nothing',
  (error: { readonly code: string }) => error.code,
)
const files = () => readdirSync(dirname(artifactPath(home, operationId, 1, small)))
const named = files().filter(name => !name.startsWith('.'))
await folder.discard()
process.stdout.write(JSON.stringify({ failed, named, left: files() }))
