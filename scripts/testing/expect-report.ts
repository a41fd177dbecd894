import { expect } from '@jest/globals'
import { reportLines } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'

/** Compares a report at 80 and 120 columns with its snapshots; no line may be wider. */
export function expectReport(report: Report): void {
  for (const width of [80, 120]) {
    const lines = reportLines(report, width)
    expect(lines.filter((line) => line.length > width)).toEqual([])
    expect(`\n${lines.join('\n')}\n`).toMatchSnapshot(`${width} columns`)
  }
}
