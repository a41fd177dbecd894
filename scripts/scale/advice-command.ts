import { loadConfig } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { adviceJson } from '../../consumers/operations/replicas/advice/advice-formats.ts'
import { observe } from '../../consumers/operations/replicas/advice/observe.ts'
import { serveAdvice } from '../../consumers/operations/replicas/advice/serve-advice.ts'
import { chooseGroups } from '../../consumers/operations/groups.ts'
import { openForOperator } from '../../consumers/operations/lanes/read-health.ts'
import { requireStack } from '../../consumers/operations/replicas/running-stack.ts'
import type { CommandFrame } from '../cli/command.ts'
import { printJson, say } from '../cli/command.ts'
import { refuseForeignStack } from '../stack/foreign-stack.ts'
import { configOf } from '../stack/probe-stack.ts'
import type { AdviceOptions } from './advice-options.ts'
import { adviceReport } from './print-advice.ts'
import { during } from '../cli/progress.ts'
import { printReport } from '../cli/report.ts'

/** The longest measurement, seconds. Over a much shorter time rates differ by chance. */
const measureSeconds = 2

/** Runs `--advise`, once or as a server. @throws TallyError USAGE, UNREACHABLE */
export async function giveAdvice(
  consumers: string[],
  { lag, drain, min, max, otherMachines, every, serve, json }: AdviceOptions & { json?: boolean },
  { signal }: CommandFrame,
): Promise<void> {
  const { dataDir } = loadConfig()
  refuseForeignStack(dataDir)
  const named = consumers.find((text) => text.includes('='))
  if (named !== undefined)
    throw new TallyError('USAGE', `"${named}" is a number of replicas: name consumers only, --advise finds the number`)
  const stack = await requireStack(dataDir)
  const config = configOf(stack)
  await chooseGroups(config, consumers)
  const pool = openForOperator(config)
  const goals = { lagSeconds: lag, drainSeconds: drain, min, max, otherMachines }
  const observing = { config, pool, consumers, goals, overMs: 1_000 * Math.min(measureSeconds, every), signal }
  try {
    if (serve === undefined) {
      const advices = await during('Measuring rates', observe({ ...observing, stack }))
      return json ? printJson({ consumers: advices.map(adviceJson) }) : printReport(adviceReport(advices))
    }
    await serveAdvice({
      ...{ ...observing, port: serve === true ? config.ports.advice : serve, everyMs: 1_000 * every },
      onListening(url) {
        if (json) printJson({ url })
        say(`${url}/metrics is for Prometheus, ${url}/ is JSON. Press Ctrl-C to stop`)
      },
      onTrouble: say,
    })
  } finally {
    await pool.end()
  }
}
