/** Jest strips TypeScript types itself; there is no build step and no transformer. */
export default {
  testEnvironment: 'node',
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  setupFiles: ['<rootDir>/test/support/properties.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // Ends what hangs. What takes a second here takes half a minute where ten programs share two cores.
  testTimeout: 120_000,
  // One more than the cores of a small machine: many tests wait, for a lease, a pause or another process.
  maxWorkers: 3,
}
