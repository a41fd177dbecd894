// Five kinds of tests, told apart by suffix and kept beside the code they test:
//   *.test.ts         pure, no servers
//   *.int.test.ts     real Kafka, registry and PostgreSQL, started once for the run
//   *.e2e.test.ts     whole flows in processes of their own
//   *.system.test.ts  the long ones: `npm run test:system`
//   *.release.test.ts pages, bridges, the image and long walks, before a release: `npm run test:release`
const base = {
  testEnvironment: '<rootDir>/infra/testing/environment.ts',
  transform: {}, // Node 24 runs TypeScript without compiling it
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'json'],
  modulePathIgnorePatterns: ['<rootDir>/.tally/'],
}
const onServers = {
  globalSetup: '<rootDir>/infra/testing/global-setup.ts',
  globalTeardown: '<rootDir>/infra/testing/global-teardown.ts',
}

export default {
  reporters: ['<rootDir>/infra/testing/reporter.ts'],
  testSequencer: '<rootDir>/infra/testing/sequencer.ts',
  maxWorkers: 4, // Tests with servers mostly wait
  testTimeout: 300_000, // Several waits of a minute each, on a slow machine
  projects: [
    {
      ...base,
      displayName: 'pure',
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.(int|e2e|system|release)\\.test\\.ts$'],
    },
    { ...base, ...onServers, displayName: 'integration', testMatch: ['**/*.int.test.ts'] },
    { ...base, ...onServers, displayName: 'end-to-end', testMatch: ['**/*.e2e.test.ts'] },
    { ...base, ...onServers, displayName: 'system', testMatch: ['**/*.system.test.ts'] },
    { ...base, ...onServers, displayName: 'release', testMatch: ['**/*.release.test.ts'] },
  ],
}
