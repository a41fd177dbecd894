/** User and password of an address, up to its host. Begins at `://`, so that no long text costs more than one pass. */
const userinfo = /:\/\/[^\s/?#"'<>]*@/g
const secretParameter = /([?&](?:\w*password|passwd|pwd|secret|\w*token|api_?key)=)[^&\s#"'<>]*/gi

/** A text without the users and passwords of addresses in it: `http://user:password@host` becomes `http://***@host`. */
export const withoutSecrets = (text: string): string =>
  text.replace(userinfo, '://***@').replace(secretParameter, '$1***')
