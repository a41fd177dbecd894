/** The help of `npm run consumer`: by hand, so that a replica does not load what only commands need. */
export const consumerHelp = (consumers: readonly string[]): string => `Usage: npm run consumer -- <name>

Run one replica of a consumer until Ctrl-C

Arguments:
  name        consumer to run, one of:
${consumers.map((name) => `              ${name}`).join('\n')}

Options:
  -h, --help  show this help

The replica takes its share of the lanes; Ctrl-C returns them to the others.
Nothing restarts it. \`npm run scale\` shows it as <name>@<host>:<pid>.

Examples:
  npm run consumer -- payment
  TALLY_LOG_LEVEL=debug npm run consumer -- payment
`

/** What is wrong with a name that is none of them. */
export const consumerUsageError = (name: string, consumers: readonly string[]): string =>
  `${name === '' ? 'Name the consumer to run' : `No consumer "${name}"`}: there are ${consumers.join(', ')}\n` +
  '(`npm run consumer -- --help` shows what it does, and examples)\n'
