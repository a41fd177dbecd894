import { build } from 'vite'

/** Builds the pages of a folder into another: `node build.ts ROOT OUT BASE`. */
const [root, outDir, base] = process.argv.slice(2)
await build({
  root,
  base,
  configFile: false,
  logLevel: 'error',
  publicDir: false,
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // The content security policy allows no inlined files
    reportCompressedSize: false,
  },
})
