import type { Config } from '../../infra/config.ts'
import { isTallyError, TallyError } from '../../infra/errors.ts'
import { ApiClient, newOrderOf } from '../../producers/direct/api-client.ts'
import { demoCatalogue } from '../../producers/sample-data/demo-catalogue.ts'
import type { Article } from '../../producers/sample-data/demo-catalogue.ts'
import { sendAll } from '../../producers/direct/send-all.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { commandToken } from '../../infra/security/access-token.ts'
import { connectKafka } from '../../infra/kafka/command-client.ts'
import { toQueue } from './to-queue.ts'
import type { Destination, QueueOptions } from './to-queue.ts'
import { createSealer } from '../../producers/direct/seal-events.ts'
import { connectPublisher } from '../../producers/direct/connect-publisher.ts'

export async function toKafka(config: Config, types: readonly EventType[], signal: AbortSignal): Promise<Destination> {
  const kafka = connectKafka('produce', config)
  const publisher = await connectPublisher({ name: 'produce', kafka, config, types, signal })
  const sealer = createSealer(config)
  return {
    send: async (event) => publisher.publish([await sealer.seal(event)]),
    maxOutstanding: 5_000,
    stop: async () => void (await Promise.all([publisher.stop(), sealer.stop()])),
  }
}

export interface ApiOptions {
  config: Config
  signal: AbortSignal
  /** Whether to put the articles of generated orders into the catalogue first. */
  withCatalogue: boolean
  /** Called for an order that the API refuses; without it, a refusal is an error. */
  onRefused?: (reason: string) => void
}

const apiOf = (config: Config, signal: AbortSignal): ApiClient =>
  new ApiClient({ url: `http://127.0.0.1:${config.ports.api}`, token: commandToken(config), signal })

/** Puts the articles of generated orders into the catalogue. */
async function putCatalogue(api: ApiClient, signal: AbortSignal): Promise<void> {
  const put = ({ sku, name, unitPriceMinor, currency }: Article) =>
    api.putProduct(sku, { name, unitPriceMinor: String(unitPriceMinor), currency })
  await sendAll(demoCatalogue(), put, { maxOutstanding: 16, signal })
}

/** Sends orders to a queue, where a bridge takes them. @throws as `toQueue` */
export async function throughQueue(
  options: QueueOptions & Pick<ApiOptions, 'signal' | 'withCatalogue'>,
): Promise<Destination> {
  const { config, signal, withCatalogue } = options
  const destination = await toQueue(options)
  if (withCatalogue) await putCatalogue(apiOf(config, signal), signal)
  return destination
}

export async function toApi({ config, signal, withCatalogue, onRefused }: ApiOptions): Promise<Destination> {
  const api = apiOf(config, signal)
  if (withCatalogue) await putCatalogue(api, signal)
  return {
    send: async ({ type, id, data }) => {
      if (type !== 'OrderPlaced') throw new TallyError('USAGE', `The orders API accepts OrderPlaced, not ${type}`)
      try {
        await api.placeOrder(newOrderOf(data), id)
      } catch (error) {
        if (!onRefused || !isTallyError(error, 'REFUSED_BY_API')) throw error
        onRefused(error.message)
      }
    },
    maxOutstanding: 32,
    stop: async () => {},
  }
}
