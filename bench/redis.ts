import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from '../test/support/free-port.ts'
import { Missing } from './c-peer.ts'
import { adopt, withHome } from './server.ts'

/**
 * Runs `use` with the port of a fresh Redis, which is killed afterwards.
 * @param durable whether what was acknowledged is on the disk, as with Postgres; otherwise as Redis comes: snapshots only
 * @throws {Missing} where there is none
 */
export function withRedis<T>(durable: boolean, use: (port: number) => Promise<T>): Promise<T> {
  return withHome(async folder => {
    const port = await freePort()
    const log = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []
    const place = ['--dir', folder, '--bind', '127.0.0.1', '--port', String(port)]
    const child = adopt(spawn('redis-server', [...place, ...log], { stdio: ['ignore', 'pipe', 'inherit'] }))
    const exit = once(child, 'exit').catch(() => undefined)
    try {
      await untilReady(child)
      return await use(port)
    } finally {
      child.kill('SIGKILL')
      if (child.pid !== undefined) await exit
    }
  })
}

function untilReady(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.once('error', error =>
      reject(new Missing(`redis-server cannot be started here (Debian: redis-server): ${error.message}`)),
    )
    child.once('exit', code => reject(new Error(`redis-server ended with code ${code}: ${said}`)))
    child.stdout?.on('data', chunk => {
      said += chunk
      if (said.includes('Ready to accept connections')) resolve()
    })
  })
}
