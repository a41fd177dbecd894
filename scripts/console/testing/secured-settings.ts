import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { audience, issuer, keys } from '../../../producers/orders-api/testing/guarded-app.ts'

/** Settings of a console that accepts the tokens of `tokenOf`. @param folder for the file with the public key */
export function securedSettings(folder: string): Record<string, string> {
  const file = join(folder, 'token.pub')
  writeFileSync(file, keys.publicKey.export({ format: 'pem', type: 'spki' }))
  return { TALLY_API_KEY_FILE: file, TALLY_API_ISSUER: issuer, TALLY_API_AUDIENCE: audience }
}
