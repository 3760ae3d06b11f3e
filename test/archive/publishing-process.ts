import { publishModel } from '../../src/archive/models.ts'
import { untrainedModel } from '../support/trained-model.ts'

/** Publishes a model and is killed before a step of it: `publishing-process.ts {home} {step}`. */
const [home = '', step = ''] = process.argv.slice(2)
let steps = 0
publishModel(home, untrainedModel('fuzzy_and_raw'), {
  now: 0,
  operationId: null,
  checkpoint: () => {
    if (++steps === Number(step)) process.kill(process.pid, 'SIGKILL')
  },
})
process.stdout.write(`published after ${steps} steps`)
