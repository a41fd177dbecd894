import { chmodSync, chownSync, copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StackCredentials } from '../../security/stack-credentials.ts'
import { serverUser } from '../supervisor/data-dir.ts'

/** Only by TLS and with a password. */
const rules = 'hostssl all all 127.0.0.1/32 scram-sha-256\n'

/**
 * Settings of a secured PostgreSQL. Its certificate, key and rules are copied to its home, where the user that runs it may
 * read them.
 */
export function securedSettings(home: string, credentials: StackCredentials): Record<string, string> {
  const [certificate, key, hba] = [join(home, 'server.crt'), join(home, 'server.key'), join(home, 'pg_hba.conf')]
  for (const path of [certificate, key, hba]) rmSync(path, { force: true })
  copyFileSync(credentials.certificate, certificate)
  copyFileSync(credentials.key, key)
  writeFileSync(hba, rules)
  const user = serverUser()
  for (const path of [certificate, key, hba]) {
    chmodSync(path, 0o600)
    if (user) chownSync(path, user.uid, user.gid)
  }
  return {
    ssl: 'on',
    ssl_min_protocol_version: 'TLSv1.2',
    ssl_cert_file: certificate,
    ssl_key_file: key,
    hba_file: hba,
  }
}
