import { bridges } from './guards/access/bridges.ts'
import { console } from './guards/console.ts'
import { effects } from './guards/effects.ts'
import { encoding } from './guards/encoding.ts'
import { entry } from './guards/entry.ts'
import { groups } from './guards/groups.ts'
import { notices } from './guards/notices.ts'
import { operators } from './guards/operators.ts'
import { outages } from './guards/outages.ts'
import { overload } from './guards/running/overload.ts'
import { readiness } from './guards/running/readiness.ts'
import { retention } from './guards/running/retention.ts'
import { ownership } from './guards/ownership.ts'
import { parking } from './guards/parking.ts'
import { positions } from './guards/positions.ts'
import { publication } from './guards/publication.ts'
import { queues } from './guards/access/queues.ts'
import { reading } from './guards/reading.ts'
import { recovery } from './guards/recovery.ts'
import { reprocessing } from './guards/reprocessing.ts'
import { security } from './guards/access/security.ts'
import { stack } from './guards/stack.ts'
import { weeks } from './guards/running/weeks.ts'
import type { Mutation } from './mutation.ts'

/** All mutations. DESIGN.md, "What must stay true", gives the reason for each guard. */
export const mutations: readonly Mutation[] = [
  ...ownership,
  ...positions,
  ...effects,
  ...publication,
  ...encoding,
  ...parking,
  ...outages,
  ...overload,
  ...readiness,
  ...retention,
  ...weeks,
  ...recovery,
  ...groups,
  ...notices,
  ...reprocessing,
  ...stack,
  ...security,
  ...reading,
  ...entry,
  ...operators,
  ...console,
  ...bridges,
  ...queues,
]
