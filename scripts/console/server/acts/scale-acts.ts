import { z } from 'zod'
import { observe } from '../../../../consumers/operations/replicas/advice/observe.ts'
import { changeReplicas } from '../../../../consumers/operations/replicas/change-replicas.ts'
import { requireStack } from '../../../../consumers/operations/replicas/running-stack.ts'
import { consumerFolders } from '../../../../consumers/runtime/load-consumer.ts'
import { parseReplicaCounts } from '../../../scale/replica-counts.ts'
import { changeReport } from '../../../scale/print-change.ts'
import { goalsByDefault } from '../../../scale/advice-options.ts'
import type { AdviceResult } from '../../contract/lanes.ts'
import type { ConsoleContext } from '../context.ts'
import { act } from './act.ts'
import type { Act } from './act.ts'
import type { Jobs } from './jobs.ts'
import { npmRun } from './shell-words.ts'

const withinMs = 60_000

/** Replicas of consumers: advice, and changes of their number. Only of the stack on this machine. */
export function scaleActs({ config, pool }: ConsoleContext, jobs: Jobs): Record<string, Act> {
  return {
    scale: act(
      z.object({ consumer: z.string(), replicas: z.number().int().min(0).max(1_000) }),
      async ({ consumer, replicas }) => {
        const wanted = parseReplicaCounts([`${consumer}=${replicas}`], consumerFolders())
        await requireStack(config.dataDir)
        const command = npmRun('scale', `${consumer}=${replicas}`)
        const title = `${consumer}: ${replicas} replica${replicas === 1 ? '' : 's'}`
        const job = jobs.start({
          title,
          async work({ signal, say }) {
            say(['Changing replicas and waiting until their lanes settle'])
            const changes = await changeReplicas({ config, pool, withinMs, signal, wanted })
            return {
              lines: changes.map((change) => changeReport(change).verdict),
              failed: changes.some(({ totals }) => totals.after.faults.length > 0),
            }
          },
        })
        return { said: [title], command, job }
      },
    ),

    advise: act(z.object({}), async () => {
      const stack = await requireStack(config.dataDir)
      const command = npmRun('scale', '--advise')
      const job = jobs.start({
        title: 'Measuring replicas for 2 s',
        async work({ signal }) {
          const advices = await observe({
            config,
            pool,
            stack,
            consumers: [],
            goals: goalsByDefault,
            overMs: 2_000,
            signal,
          })
          const result: AdviceResult = {
            consumers: advices.map(({ consumer, replicas, needed, because }) => ({
              consumer,
              replicas,
              needed,
              because,
            })),
          }
          const changes = advices.filter(({ replicas, needed }) => replicas !== needed).length
          return { lines: [changes === 0 ? 'The present numbers are right.' : `${changes} should change.`], result }
        },
      })
      return { said: ['Measuring replicas for 2 s'], command, job }
    }),
  }
}
