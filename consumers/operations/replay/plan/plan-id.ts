import { hash } from 'node:crypto'
import type { Plan } from '../plan.ts'

/** A hash of a plan without its `id`: plans with the same id are equal. */
export const planId = ({ id: _id, ...said }: Omit<Plan, 'id'> & { readonly id?: string }): string =>
  hash('sha256', canonical(said))

/** JSON with sorted fields, independent of the order in which an object was built. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
}
