/**
 * Raised when parameters or checkpoints change so that older code cannot run them. An operation keeps the generation of
 * the server that accepted it: in a cluster of mixed versions, nodes of an older generation leave it to newer ones.
 */
export const generation = 1
