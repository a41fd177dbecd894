import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type { SASLOptions } from 'kafkajs'
import { describeError, TallyError } from '../errors.ts'
import type { StackCredentials } from './stack-credentials.ts'
import { createTokenSource } from './token-source.ts'

/** Where Kafka is and how this process identifies itself there. */
export interface KafkaServers {
  /** host:port; an IPv6 address in brackets. */
  readonly brokers: readonly string[]
  /** Absent: no TLS. */
  readonly tls?: ConnectionOptions | undefined
  /** Absent: no login. */
  readonly sasl?: SASLOptions | undefined
}

interface AccessSettings {
  TALLY_KAFKA_SECURITY?: 'PLAINTEXT' | 'SSL' | 'SASL_SSL' | undefined
  TALLY_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' | 'SCRAM-SHA-256' | 'PLAIN' | 'OAUTHBEARER'
  TALLY_KAFKA_USER?: string | undefined
  TALLY_KAFKA_PASSWORD?: string | undefined
  TALLY_KAFKA_TOKEN_FILE?: string | undefined
  TALLY_KAFKA_TOKEN_URL?: string | undefined
  TALLY_KAFKA_TOKEN_SCOPE?: string | undefined
  TALLY_KAFKA_CERTIFICATE_FILE?: string | undefined
  TALLY_KAFKA_KEY_FILE?: string | undefined
}

/** TLS and login by the settings, which have been checked against each other. @throws TallyError CONFIG_INVALID */
export function kafkaAccess(env: AccessSettings): Pick<KafkaServers, 'tls' | 'sasl'> {
  const protocol = env.TALLY_KAFKA_SECURITY ?? 'PLAINTEXT'
  if (protocol === 'PLAINTEXT') return {}
  const { TALLY_KAFKA_CERTIFICATE_FILE: certificate, TALLY_KAFKA_KEY_FILE: key } = env
  return {
    tls: {
      minVersion: 'TLSv1.2',
      ...(certificate && { cert: read('TALLY_KAFKA_CERTIFICATE_FILE', certificate) }),
      ...(key && { key: read('TALLY_KAFKA_KEY_FILE', key) }),
    },
    ...(protocol === 'SASL_SSL' && { sasl: loginOf(env) }),
  }
}

/** TLS and login of a principal at the embedded brokers; nothing if they are not secured. */
export const embeddedAccess = (
  credentials: StackCredentials | undefined,
  principal: string,
): Pick<KafkaServers, 'tls' | 'sasl'> =>
  credentials
    ? {
        tls: { minVersion: 'TLSv1.2' },
        sasl: {
          mechanism: 'scram-sha-512',
          username: principal,
          password: credentials.password('kafka', principal),
        },
      }
    : {}

function loginOf(env: AccessSettings): SASLOptions {
  const { TALLY_KAFKA_USER: username = '', TALLY_KAFKA_PASSWORD: password = '' } = env
  switch (env.TALLY_KAFKA_SASL_MECHANISM) {
    case 'OAUTHBEARER':
      return {
        mechanism: 'oauthbearer',
        oauthBearerProvider: createTokenSource({
          file: env.TALLY_KAFKA_TOKEN_FILE,
          url: env.TALLY_KAFKA_TOKEN_URL,
          scope: env.TALLY_KAFKA_TOKEN_SCOPE,
          ...{ clientId: username, clientSecret: password },
        }),
      }
    case 'PLAIN':
      return { mechanism: 'plain', username, password }
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password }
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password }
  }
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new TallyError('CONFIG_INVALID', `Configuration: ${variable}: ${describeError(error)}`)
  }
}
