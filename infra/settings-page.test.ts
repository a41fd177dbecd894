import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { settings } from './settings.ts'
import { settingsPage } from './settings-page.ts'

const names = Object.keys(settings.shape)

test('docs/configuration.md is the page of the settings', () => {
  const page = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')
  expect(page).toBe(settingsPage()) // Else: npm run generate
})

test('every setting has one row with a default, its values and a sentence', () => {
  const rows = settingsPage()
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  expect(rows.map((row) => row.split('`')[1])).toEqual(names)
  for (const row of rows) expect(row).toMatch(/^\| `[A-Z_]+` \| \S.* \| \S.* \| [A-Z].*\. \|$/)
})
