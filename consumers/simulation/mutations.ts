import type { Statements } from './database/statement.ts'

/** Something broken on purpose, to see that the checks notice. */
export interface Mutation {
  name: string
  statements?(sound: Statements): Statements
}

export const mutations: readonly Mutation[] = []
