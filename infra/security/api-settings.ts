import { isIP } from 'node:net'
import { z } from 'zod'

const path = z.string().min(1)

/** The settings that guard the orders API. */
export const apiSettings = {
  TALLY_API_HOST: z.string().min(1).default('127.0.0.1').meta({
    section: 'Access to the orders API',
    description: 'Address on which the orders API listens. Beyond the loopback interface it requires authentication.',
  }),
  TALLY_API_ALLOWED_HOSTS: z.string().optional().meta({
    otherwise: 'the names of the loopback interface and `TALLY_API_HOST`',
    description:
      'Names, separated by commas and without ports, by which clients may address the orders API (`Host` header).',
  }),
  TALLY_API_KEY_FILE: path.optional().meta({
    otherwise: 'none, or the key of a secured data folder',
    description:
      'PEM file with the public key that verifies bearer tokens (JWT). It turns authentication on, also of the console.',
  }),
  TALLY_API_JWKS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description:
        'Address of the key set of an identity provider, in place of a key file. It turns authentication on, also of the console.',
    }),
  TALLY_API_ISSUER: z
    .string()
    .min(1)
    .default('tally')
    .meta({ description: 'Required issuer of bearer tokens (`iss`).' }),
  TALLY_API_AUDIENCE: z.string().min(1).default('tally-orders-api').meta({
    description: 'Required audience of bearer tokens (`aud`).',
  }),
  TALLY_API_RATE: z.coerce.number().int().min(1).default(20).meta({
    unit: 'requests per second',
    description: 'Limit of each subject whose tokens give access to its own orders only; ten times as many at once.',
  }),
  TALLY_API_CONNECTIONS: z.coerce.number().int().min(1).default(2_000).meta({
    unit: 'connections',
    description: 'Open connections that the orders API accepts.',
  }),
  TALLY_API_TOKEN: z.string().min(1).optional().meta({
    secret: true,
    otherwise: 'none; in a secured data folder commands make one',
    description: 'Bearer token with which commands use the orders API.',
  }),
}

type Given = z.infer<z.ZodObject<typeof apiSettings>>

/** Whether an address is reachable from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** @param secured whether the data folder has a key of its own */
export function* apiContradictions(
  env: Given,
  secured: boolean,
): Generator<readonly [variable: keyof Given, message: string]> {
  if (env.TALLY_API_KEY_FILE !== undefined && env.TALLY_API_JWKS_URL !== undefined)
    yield ['TALLY_API_JWKS_URL', 'is set, and so is TALLY_API_KEY_FILE: keep one of them']
  const authenticated = secured || env.TALLY_API_KEY_FILE !== undefined || env.TALLY_API_JWKS_URL !== undefined
  if (!authenticated && !isLoopback(env.TALLY_API_HOST))
    yield [
      'TALLY_API_HOST',
      'beyond the loopback interface the orders API needs authentication: set TALLY_API_JWKS_URL or TALLY_API_KEY_FILE',
    ]
}

/** What the orders API and its clients need of these settings. @param localKey files of the data folder's own key pair */
export function apiAccess(env: Given, localKey: { public: string; private: string } | undefined) {
  const named = env.TALLY_API_ALLOWED_HOSTS?.split(',').map((name) => name.trim().toLowerCase())
  const keyFile = env.TALLY_API_KEY_FILE ?? (env.TALLY_API_JWKS_URL === undefined ? localKey?.public : undefined)
  const on = keyFile !== undefined || env.TALLY_API_JWKS_URL !== undefined
  return {
    host: env.TALLY_API_HOST,
    /** Lower case, without ports; an IPv6 address in brackets. */
    allowedHosts: named ?? ['127.0.0.1', 'localhost', '[::1]', env.TALLY_API_HOST.toLowerCase()],
    connections: env.TALLY_API_CONNECTIONS,
    /** Undefined: everybody may do everything. */
    authentication: on
      ? {
          ...{ keyFile, jwksUrl: env.TALLY_API_JWKS_URL },
          ...{ issuer: env.TALLY_API_ISSUER, audience: env.TALLY_API_AUDIENCE, rate: env.TALLY_API_RATE },
        }
      : undefined,
    /** With which commands identify themselves: a token, or the key to make one. */
    client: {
      ...{ token: env.TALLY_API_TOKEN, signingKeyFile: localKey?.private },
      ...{ issuer: env.TALLY_API_ISSUER, audience: env.TALLY_API_AUDIENCE },
    },
  }
}
