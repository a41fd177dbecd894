import type { Config } from '../../../../infra/config.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { tallyConsumer } from '../tally-consumer.ts'

/** The test consumer for separate processes: it makes its calls over HTTP to the gateway's address. */
export default ({ gateway }: Config) =>
  tallyConsumer('tester', async (request, idempotencyKey) => {
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body: JSON.stringify(request),
    })
    if (!response.ok) throw new TallyError('UNREACHABLE', `the outside world answered ${response.status}`)
    return (await response.json()) as object
  })
