import { access, constants, statfs } from 'node:fs/promises'
import type { Config } from './config.ts'
import { errorFields } from './log.ts'
import type { components } from './openapi.gen.ts'
import type { OperationsService } from './operations/service.ts'
import type { Store } from './store/store.ts'

type Health = components['schemas']['Health']

const leastFreeBytes = 100 * 1_048_576

/** Whether this server can take work, and why not. */
export async function readiness(service: OperationsService, store: Store, config: Config): Promise<Health> {
  const check = async (name: string, look: () => Promise<unknown>) => {
    try {
      await look()
      return { name, status: 'ok' as const, detail: null }
    } catch (error) {
      return { name, status: 'failed' as const, detail: errorFields(error).error }
    }
  }
  const checks = [
    await check('accepting', async () => {
      if (service.draining) throw new Error('the server is stopping')
    }),
    await check('database', () => store.ping()),
    await check('data folder', () => checkFolder(config.home)),
    ...(config.archive === config.home ? [] : [await check('archive', () => checkFolder(config.archive))]),
  ]
  return { status: checks.every(({ status }) => status === 'ok') ? 'ok' : 'unavailable', checks }
}

async function checkFolder(folder: string): Promise<void> {
  await access(folder, constants.W_OK)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < leastFreeBytes) throw new Error('less than 100 MiB are free')
}
