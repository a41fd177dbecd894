/** User and password of an address, up to its host. Begins at `://`, so that no long text costs more than one pass. */
const userinfo = /:\/\/[^\s/?#"'<>]*@/g
const secretParameter = /([?&](?:\w*password|passwd|pwd|secret|\w*token|api_?key)=)[^&\s#"'<>]*/gi

/** What is a secret wherever it stands: a signed token (JWT), the rest of a login header, a private key in PEM. */
const tokens = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g
const logins = /\b(Bearer|Basic) +[\w.~+/=-]{8,}/g
const privateKeys = /(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END|$)/gs

/** Shorter texts would be found in words that are no secrets. */
const shortest = 6
const known = new Set<string>()

/**
 * Keeps a secret of this process out of every log and error, in whatever text a library puts it.
 * @returns forgets it, for secrets that are replaced again and again
 */
export function rememberSecret(secret: string | undefined): () => void {
  if (secret === undefined || secret.length < shortest || known.has(secret)) return () => {}
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]
  for (const form of forms) known.add(form)
  return () => forms.forEach((form) => known.delete(form))
}

/**
 * A text without the users and passwords of addresses in it (`http://user:password@host` becomes `http://***@host`),
 * without tokens, logins and private keys, and without the secrets of this process.
 */
export function withoutSecrets(text: string): string {
  let shown = text.replace(userinfo, '://***@').replace(secretParameter, '$1***')
  shown = shown.replace(tokens, '***').replace(logins, '$1 ***').replace(privateKeys, '$1***$2')
  for (const secret of known) shown = shown.replaceAll(secret, '***')
  return shown
}
