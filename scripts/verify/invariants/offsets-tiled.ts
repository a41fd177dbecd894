import { count, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import { tilingFaults } from '../../../consumers/operations/tiling.ts'
import type { Evidence } from '../evidence.ts'

/** The spans of each group's ledger cover each partition from the first offset to the last, without gaps or overlaps. */
export const offsetsTiled = ({ history, groups }: Evidence): Finding =>
  judge('offsets-tiled', 'ledger spans cover every partition without gaps', (report) => {
    let [spans, offsets] = [0, 0]
    for (const { group, account } of groups) {
      const places = new Set(account.ledger.keys())
      for (const topic of group.topics) {
        for (const [partition, range] of (history.ranges.get(topic) ?? []).entries()) {
          const place = `${topic}/${partition}`
          const of = account.ledger.get(place) ?? []
          places.delete(place)
          spans += of.length
          offsets += range.end
          for (const fault of tilingFaults(place, of, range, account.beginnings.get(place)))
            report(`${group.name} ${fault}`)
        }
      }
      for (const place of places) report(`${group.name} ${place}: in the ledger, but the group reads no such partition`)
    }
    return `${count(spans)} spans over ${count(offsets)} offsets`
  })
