import type { Config } from '../../../infra/config.ts'
import { askRegistry } from '../../../schemas/registry/registry-client.ts'
import { compatibility } from '../../../schemas/registry/registry.ts'
import { eventTypes, subjectOf } from '../../../schemas/topics.ts'
import { findingsOf } from '../../../infra/doctor/finding.ts'
import type { Finding } from '../../../infra/doctor/finding.ts'

const cure = 'Start the registry (`npm start`), or correct TALLY_REGISTRY_URL'

/** Access, and the schema and compatibility level of every event type. */
export const checkRegistry = ({ registry: { url }, namespace }: Config): Promise<readonly Finding[]> =>
  findingsOf({ area: 'registry', cure }, async () => {
    await askRegistry(url, '/subjects')
    const checked = await Promise.all(eventTypes.map((type) => checkSubject(url, subjectOf(namespace, type))))
    return merged(checked.flat())
  })

type Fault = 'has no schema' | `has the compatibility level ${string}`

async function checkSubject(url: string, subject: string): Promise<{ subject: string; fault: Fault }[]> {
  const path = encodeURIComponent(subject)
  const versions = (await askRegistry(url, `/subjects/${path}/versions`)) as number[] | undefined
  if (!versions?.length) return [{ subject, fault: 'has no schema' }]
  const config = (await askRegistry(url, `/config/${path}`)) as { compatibilityLevel?: string } | undefined
  const found = config?.compatibilityLevel ?? 'of the registry'
  return found === compatibility ? [] : [{ subject, fault: `has the compatibility level ${found}` }]
}

/** One finding for each fault, however many subjects have it. */
function merged(faults: readonly { subject: string; fault: Fault }[]): Finding[] {
  return [...Map.groupBy(faults, ({ fault }) => fault)].map(([fault, all]) => {
    const [first] = all
    const others = all.length > 1 ? ` (and ${all.length - 1} more)` : ''
    return {
      area: 'schemas',
      problem: `${first?.subject}${others} ${fault}${fault === 'has no schema' ? '' : `, not ${compatibility}`}`,
      cure: 'Register the schemas and set the level: `npm run deploy -- schemas`',
    }
  })
}
