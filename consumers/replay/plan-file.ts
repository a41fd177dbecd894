// Stand-in until the real one is here: overwrite it
import { readFile } from 'node:fs/promises'
import type { Plan } from './plan.ts'

export const readPlanFile = async (path: string): Promise<Plan> => JSON.parse(await readFile(path, 'utf8')) as Plan
