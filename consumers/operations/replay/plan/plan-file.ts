import { writeFile } from 'node:fs/promises'
import { describeError, TallyError } from '../../../../infra/errors.ts'
import { readTextFile } from '../../../../infra/text/read-text.ts'
import { modeNames } from '../plan.ts'
import type { Plan } from '../plan.ts'
import { planId } from './plan-id.ts'

export interface WriteOptions {
  /** Replaces an existing file. */
  readonly overwrite?: boolean
}

/** @throws TallyError USAGE if the file exists or cannot be written */
export async function writePlanFile(path: string, plan: Plan, { overwrite = false }: WriteOptions = {}): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(plan, undefined, 2)}\n`, { flag: overwrite ? 'w' : 'wx' })
  } catch (error) {
    throw new TallyError('USAGE', `the plan is not written: ${describeError(error)}`, { cause: error })
  }
}

/** @throws TallyError USAGE if the file cannot be read, is not a plan, has another format, or was edited */
export async function readPlanFile(path: string): Promise<Plan> {
  const plan = parsed(path, textOf(path))
  if (!isObject(plan) || !modeNames.some((mode) => mode === plan.mode))
    throw new TallyError('USAGE', `${path} is not a plan: \`npm run replay -- plan --out FILE\` makes one`)
  if (plan.format !== 1)
    throw new TallyError(
      'USAGE',
      `${path} was made by another version (format ${String(plan.format)}): make a new plan`,
    )
  if (plan.id !== planId(plan as unknown as Plan))
    throw new TallyError(
      'USAGE',
      `${path} was changed since it was made: what it says is no longer what was counted. Make it again with \`npm run replay -- plan\``,
    )
  return plan as unknown as Plan
}

function textOf(path: string): string {
  try {
    return readTextFile(path)
  } catch (error) {
    throw new TallyError('USAGE', `${describeError(error)}. \`npm run replay -- plan\` writes one`, { cause: error })
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new TallyError('USAGE', `${path} is not a plan, not even JSON: ${describeError(error)}`, { cause: error })
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
