/** A command line of npm, with its words quoted where a shell would read them otherwise. */
export const npmRun = (script: string, ...words: readonly (string | undefined)[]): string =>
  ['npm run', script, '--', ...words.filter((word) => word !== undefined).map(quoted)].join(' ')

const quoted = (word: string): string => (/^[\w@%+=:,./‹›-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
