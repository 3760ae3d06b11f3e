import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

/** Preloaded into a program: writes the address of every module it loads to the file named by `?to=`. */
const to = new URL(import.meta.url).searchParams.get('to')
registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(to, `${url}\n`)
    return nextLoad(url, context)
  },
})
