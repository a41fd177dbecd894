import type { Config } from '../../infra/config.ts'
import { isTallyError } from '../../infra/errors.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import { eventTypes } from '../../schemas/topics.ts'
import { askRegistry } from '../../schemas/registry/registry-client.ts'

/** A codec of all events. @throws TallyError UNREACHABLE if the registry does not answer, NOT_DEPLOYED if nothing is deployed */
export async function connectCodec({ registry, namespace }: Config, signal: AbortSignal): Promise<Codec> {
  await askRegistry(registry.url, '/subjects') // A codec waits for its registry; a command must not
  return createCodec({ registryUrl: registry.url, namespace, types: eventTypes, signal })
}

/** What to tell an operator who has no codec. */
export const withoutCodec =
  'The schema registry does not answer or denies access: payloads are shown as bytes. `npm run doctor` says why'

/** As `connectCodec`; undefined if the registry does not answer or denies access. */
export const connectCodecIfThere = (config: Config, signal: AbortSignal): Promise<Codec | undefined> =>
  connectCodec(config, signal).catch((error: unknown) => {
    if (isTallyError(error, 'UNREACHABLE') || isTallyError(error, 'DENIED')) return undefined
    throw error
  })
