import { test } from '@jest/globals'
import { importShops } from './testing/import-shops.ts'

test(
  '10,002 orders of three shops: counts and money are those of the files; again, and corrected, nothing changes',
  () => importShops(30_200, 10_000),
  600_000,
)
