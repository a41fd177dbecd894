/** User and password of an address, up to its host. Begins at `://`, so that no long text costs more than one pass. */
const userinfo = /:\/\/[^\s/?#"'<>]*@/g
const secretParameter = /([?&](?:\w*password|passwd|pwd|secret|\w*token|api_?key)=)[^&\s#"'<>]*/gi

/** Shorter texts would be found in words that are no secrets. */
const shortest = 6
const known = new Set<string>()

/** Keeps a secret of this process out of every log and error, in whatever text a library puts it. */
export function rememberSecret(secret: string | undefined): void {
  if (secret === undefined || secret.length < shortest || known.has(secret)) return
  for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) known.add(form)
}

/**
 * A text without the users and passwords of addresses in it (`http://user:password@host` becomes `http://***@host`) and
 * without the secrets of this process.
 */
export function withoutSecrets(text: string): string {
  let shown = text.replace(userinfo, '://***@').replace(secretParameter, '$1***')
  for (const secret of known) shown = shown.replaceAll(secret, '***')
  return shown
}
