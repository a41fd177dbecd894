import { z } from 'zod'

declare module 'zod' {
  interface GlobalMeta {
    /** `<name>_FILE` may name a file with the value instead. */
    secret?: boolean
  }
}

const path = z.string().min(1)

/** The settings by which a process identifies itself to servers and recognizes them. */
export const securitySettings = {
  TALLY_CA_FILE: path.optional().meta({
    section: 'Security',
    otherwise: "the system's authorities only",
    description:
      'PEM files with the certificates of your own authorities, separated by commas. Every TLS connection trusts them beside those that Node.js knows.',
  }),
  TALLY_PRINCIPAL: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and "-"')
    .default('admin')
    .meta({
      description:
        'As which principal the process logs in to the embedded servers of a secured data folder. The stack sets it for its services; `admin` may do everything.',
    }),
  TALLY_KAFKA_SECURITY: z.enum(['PLAINTEXT', 'SSL', 'SASL_SSL']).optional().meta({
    otherwise: '`PLAINTEXT`',
    description:
      "Protocol of Kafka's listener, under Kafka's names: `SSL` is TLS, `SASL_SSL` is TLS with a login. Servers' certificates are always verified.",
  }),
  TALLY_KAFKA_SASL_MECHANISM: z
    .enum(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN', 'OAUTHBEARER'])
    .default('SCRAM-SHA-512')
    .meta({ description: 'How to log in to Kafka with `SASL_SSL`.' }),
  TALLY_KAFKA_USER: z.string().min(1).optional().meta({
    description: 'User at Kafka; with `OAUTHBEARER` and a token URL the client id.',
  }),
  TALLY_KAFKA_PASSWORD: z.string().min(1).optional().meta({
    secret: true,
    description: 'Password at Kafka; with `OAUTHBEARER` and a token URL the client secret.',
  }),
  TALLY_KAFKA_TOKEN_FILE: path.optional().meta({
    description: 'File with the token for `OAUTHBEARER`; read again for every connection, so it may be replaced.',
  }),
  TALLY_KAFKA_TOKEN_URL: z
    .url({ protocol: /^https$/ })
    .optional()
    .meta({
      description:
        'Token endpoint (`https`) of an OAuth server, asked by client credentials for a token for `OAUTHBEARER`.',
    }),
  TALLY_KAFKA_TOKEN_SCOPE: z.string().optional().meta({ description: 'Scope to ask the token endpoint for.' }),
  TALLY_KAFKA_CERTIFICATE_FILE: path.optional().meta({
    description: 'PEM file with the certificate of this process for Kafka (mutual TLS).',
  }),
  TALLY_KAFKA_KEY_FILE: path.optional().meta({ description: 'PEM file with the key of that certificate.' }),
  TALLY_REGISTRY_TOKEN: z.string().min(1).optional().meta({
    secret: true,
    description: 'Bearer token for the schema registry.',
  }),
  TALLY_DATABASE_PASSWORD: z.string().min(1).optional().meta({
    secret: true,
    otherwise: 'that of the URL',
    description: 'Password for the database; it replaces that of `TALLY_DATABASE_URL`.',
  }),
  TALLY_GATEWAY_TOKEN: z.string().min(1).optional().meta({
    secret: true,
    description: 'Bearer token for the payment gateway.',
  }),
  TALLY_CARRIER_TOKEN: z.string().min(1).optional().meta({
    secret: true,
    description: 'Bearer token for the carrier.',
  }),
}

type Given = z.infer<z.ZodObject<typeof securitySettings>> & {
  TALLY_DATABASE_URL?: string | undefined
  TALLY_REGISTRY_URL?: string | undefined
  TALLY_GATEWAY_URL?: string | undefined
  TALLY_CARRIER_URL?: string | undefined
}

/** Settings that exclude or need each other. A login that would not be used is refused: it would look protected. */
export function* contradictions(env: Given): Generator<readonly [variable: keyof Given, message: string]> {
  const protocol = env.TALLY_KAFKA_SECURITY
  const login = (
    ['TALLY_KAFKA_USER', 'TALLY_KAFKA_PASSWORD', 'TALLY_KAFKA_TOKEN_FILE', 'TALLY_KAFKA_TOKEN_URL'] as const
  )
    .filter((name) => env[name] !== undefined)
    .join(', ')
  if (protocol !== 'SASL_SSL' && login) yield ['TALLY_KAFKA_SECURITY', `${login} needs SASL_SSL`]
  if (protocol === 'SASL_SSL') {
    const oauth = env.TALLY_KAFKA_SASL_MECHANISM === 'OAUTHBEARER'
    const named = env.TALLY_KAFKA_USER !== undefined && env.TALLY_KAFKA_PASSWORD !== undefined
    if (!oauth && !named) yield ['TALLY_KAFKA_USER', 'SASL_SSL needs TALLY_KAFKA_USER and TALLY_KAFKA_PASSWORD']
    if (oauth && !env.TALLY_KAFKA_TOKEN_FILE && !(env.TALLY_KAFKA_TOKEN_URL && named))
      yield [
        'TALLY_KAFKA_TOKEN_FILE',
        'OAUTHBEARER needs TALLY_KAFKA_TOKEN_FILE, or TALLY_KAFKA_TOKEN_URL with TALLY_KAFKA_USER and TALLY_KAFKA_PASSWORD',
      ]
  }
  const certificate = env.TALLY_KAFKA_CERTIFICATE_FILE
  if ((certificate === undefined) !== (env.TALLY_KAFKA_KEY_FILE === undefined))
    yield ['TALLY_KAFKA_KEY_FILE', 'certificate and key are set together or not at all']
  if (certificate !== undefined && (protocol ?? 'PLAINTEXT') === 'PLAINTEXT')
    yield ['TALLY_KAFKA_SECURITY', 'a certificate needs SSL or SASL_SSL']
  if (env.TALLY_DATABASE_PASSWORD !== undefined && env.TALLY_DATABASE_URL === undefined)
    yield ['TALLY_DATABASE_PASSWORD', 'needs TALLY_DATABASE_URL']
  for (const server of ['REGISTRY', 'GATEWAY', 'CARRIER'] as const) {
    const url = env[`TALLY_${server}_URL`]
    if (env[`TALLY_${server}_TOKEN`] === undefined) continue
    if (url === undefined) yield [`TALLY_${server}_TOKEN`, `needs TALLY_${server}_URL`]
    else if (/^[^?#]*@/.test(url))
      yield [`TALLY_${server}_URL`, 'has a user, and there is a token, too: keep one of them']
  }
}
