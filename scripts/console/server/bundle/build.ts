import { join } from 'node:path'
import { build } from 'vite'

/** Builds the pages into a folder: `node build.ts FOLDER`. */
await build({
  root: join(import.meta.dirname, '../../web'),
  configFile: false,
  logLevel: 'error',
  publicDir: false,
  build: {
    outDir: process.argv[2],
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // The content security policy allows no inlined files
    reportCompressedSize: false,
  },
})
