/** Bytes of a request's body at most. */
export const maxBodyBytes = 64 * 1024

/** Why a body cannot be read. The names are those of body-parser's errors, and two of our own. */
export const bodyFaults = {
  'entity.parse.failed': 'The body is not JSON.',
  'entity.too.large': 'The body is larger than 64 KB.',
  'encoding.unsupported': 'The content encoding of the body is not supported.',
  'charset.unsupported': 'The character set of the body is not supported: send UTF-8.',
  'body.not.utf8': 'The body is not UTF-8.',
} as const
