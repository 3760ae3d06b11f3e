/** Everything that TypeScript calls. */
export { activate, clearColumns, dropout, scaleBy } from './activation'
export { classLoss, copyValues, probabilities, valueLoss } from './loss'
export { adam, rmsprop, sgd, squaredNorm } from './optimizer'
export { biasGradient, forward, forwardAdd, transpose, weightGradient } from './product'
export { gruBackward, gruForward, lstmBackward, lstmForward } from './recurrent'
