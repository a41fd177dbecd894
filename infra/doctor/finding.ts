import { describeError, isTallyError } from '../errors.ts'

/** Something that is wrong, or will be, and what to do about it. Each is a sentence without a full stop. */
export interface Finding {
  readonly area: Area
  readonly problem: string
  readonly cure: string
  /** A service must not start like this. */
  readonly blocking?: boolean
}

/** In the order in which they are shown: what comes first explains what comes later. */
export const areas = [
  'settings',
  'disk',
  'database',
  'connections',
  'migrations',
  'clock',
  'brokers',
  'topics',
  'registry',
  'schemas',
  'gateway',
  'carrier',
  'rabbitmq',
  'sqs',
] as const
export type Area = (typeof areas)[number]

/** How long a server may take to answer a check, ms. */
export const answerWithinMs = 10_000

export interface CheckOptions {
  readonly area: Area
  readonly cure: string
  /** The cure where the server refuses the login. @default `cure` */
  readonly login?: string
  readonly withinMs?: number
}

/** Findings of one check. What it throws, and no answer in time, is a finding, too. */
export async function findingsOf(
  { area, cure, login = cure, withinMs = answerWithinMs }: CheckOptions,
  check: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${withinMs / 1_000} s`)), withinMs)
  })
  try {
    return await Promise.race([check(), late])
  } catch (error) {
    const told = isTallyError(error) ? error.message : describeError(error)
    return [{ area, problem: told.replace(/\.$/, ''), cure: isRefusedLogin(error) ? login : cure }]
  } finally {
    clearTimeout(timer)
  }
}

/** Of PostgreSQL by its class 28, of Kafka by SASL, of others as DENIED. */
const isRefusedLogin = (error: unknown): boolean =>
  isTallyError(error, 'DENIED') ||
  (error instanceof Error &&
    (String((error as { code?: unknown }).code).startsWith('28') ||
      /SASL/.test(error.message) ||
      isRefusedLogin(error.cause)))
