import { test } from '@jest/globals'
import { importShops } from './testing/import-shops.ts'

test('300 orders of three shops: counts and money are those of the files; again, and corrected, nothing changes', () =>
  importShops(30_000, 300))
