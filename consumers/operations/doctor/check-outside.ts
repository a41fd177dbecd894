import { denied, isDenial, readAddress } from '../../../infra/server-address.ts'
import { findingsOf } from '../../../infra/doctor/finding.ts'
import type { Finding } from '../../../infra/doctor/finding.ts'

/** Whether an outside service answers and lets this process in. Any other answer is its own business. */
export function checkOutside(
  area: 'gateway' | 'carrier',
  url: string,
  setting: 'TALLY_GATEWAY_URL' | 'TALLY_CARRIER_URL',
): Promise<readonly Finding[]> {
  const name = area === 'gateway' ? 'The payment gateway' : 'The carrier'
  const cure = `Start it (\`npm start\` starts the simulator), or correct ${setting}`
  return findingsOf({ area, cure }, async () => {
    const address = readAddress(url)
    const answer = await fetch(address.url, { headers: address.headers, signal: AbortSignal.timeout(5_000) }).catch(
      (error: unknown) => {
        throw new Error(`${name} does not answer at ${address.url}`, { cause: error })
      },
    )
    await answer.body?.cancel()
    if (isDenial(answer.status)) throw denied(name, answer.status, setting)
    return []
  })
}
