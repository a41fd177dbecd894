import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { operator } from '../../security/stack-credentials.ts'
import type { StackCredentials } from '../../security/stack-credentials.ts'

/** As which brokers log in to each other. */
const broker = 'kafka'
const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule'

/**
 * Settings of a secured node: clients and brokers log in by SCRAM over TLS, controllers know brokers by their certificates,
 * because SCRAM's passwords are in the metadata that controllers keep. What no ACL allows is denied.
 * @param home the working folder of the broker, to which paths are relative
 */
export const securedSettings = (home: string, credentials: StackCredentials): Record<string, string> => ({
  'listener.security.protocol.map': 'CLIENT:SASL_SSL,CONTROLLER:SSL',
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.location': relative(home, credentials.keystore),
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': relative(home, credentials.authority),
  'listener.name.controller.ssl.client.auth': 'required',
  'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
  'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
  'listener.name.client.scram-sha-512.sasl.jaas.config': `${scram} required username="${broker}" password="${credentials.password('kafka', broker)}";`,
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': `User:${operator};User:${broker};User:CN=tally-server`,
  'allow.everyone.if.no.acl.found': 'false',
})

/**
 * Arguments of the format command that give the brokers and the operator their passwords. They are in a file, because other
 * users see arguments.
 * @returns the file, as an argument of `java` that runs in `home`
 */
export function formatArguments(home: string, credentials: StackCredentials, args: readonly string[]): string {
  const file = 'format.args'
  const users = [broker, operator].flatMap((name) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${name},password=${credentials.password('kafka', name)}]`,
  ])
  const lines = ['kafka.tools.StorageTool', ...args, ...users].map((each) => `"${each.replaceAll('\\', '\\\\')}"`)
  writeFileSync(join(home, file), `${lines.join('\n')}\n`, { mode: 0o600 })
  return `@${file}`
}
