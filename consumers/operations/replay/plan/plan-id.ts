import { hash } from 'node:crypto'
import type { Plan } from '../plan.ts'

/** What a plan says, in one number: two plans with the same id say the same. The `id` it has is left out. */
export const planId = ({ id: _id, ...said }: Omit<Plan, 'id'> & { readonly id?: string }): string =>
  hash('sha256', canonical(said))

/** JSON with the fields of each object in order, so that it does not depend on how the object came to be. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
}
