import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

const root = join(import.meta.dirname, '../..')
const { groups } = parse(readFileSync(join(import.meta.dirname, 'alerts.yml'), 'utf8')) as {
  groups: { rules: Alert[] }[]
}
const alerts = groups.flatMap(({ rules }) => rules)

test('every alert has a page in the runbook, and every page an alert', () => {
  const pages = globSync('docs/runbook/*.md', { cwd: root }).sort()
  expect(alerts.map(({ annotations }) => annotations.runbook).sort()).toEqual(pages)
  for (const { alert, annotations } of alerts) expect(annotations.runbook).toBe(`docs/runbook/${alert}.md`)
})

test('every alert says how grave it is, and of which service it speaks unless there is one only', () => {
  for (const { alert, expr, labels, annotations } of alerts) {
    expect(labels.severity).toMatch(/^(critical|warning)$/)
    const told = annotations.summary.match(/\$labels\.(\w+)/g) ?? []
    for (const label of told) expect([alert, expr]).toEqual([alert, expect.stringContaining(label.slice(8))])
  }
})
